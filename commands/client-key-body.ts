import 'reflect-metadata'
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  MaxLength,
  ValidateBy,
  ValidateIf,
} from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { type ClientKey, isPublicKey, MAX_KID_CHARACTERS } from '../domain/authorisation/client-key.ts'

const IsPublicKey = () =>
  ValidateBy({
    name: 'isPublicKey',
    validator: {
      validate: (_, options) => isPublicKey(options?.object as ClientKeyBody),
      defaultMessage: () => 'x (and y) must be the base64url coordinates of a point on the curve',
    },
  })

const IsAbsent = () =>
  ValidateBy({
    name: 'isAbsent',
    validator: { validate: () => false, defaultMessage: () => 'a private key must never be sent' },
  })

/** A public key as a JWK (RFC 7517): Ed25519 or P-256. */
export class ClientKeyBody {
  @IsString() @IsNotEmpty() @MaxLength(MAX_KID_CHARACTERS) kid!: string
  @IsIn(['OKP', 'EC']) kty!: 'OKP' | 'EC'
  @IsIn(['Ed25519', 'P-256']) crv!: 'Ed25519' | 'P-256'
  @IsString() @MaxLength(64) @IsPublicKey() x!: string
  @ValidateIf((key: ClientKeyBody) => key.kty === 'EC' || key.y !== undefined) @IsString() @MaxLength(64) y?: string
  @IsOptional() @IsString() @MaxLength(20) alg?: string
  @IsOptional() @IsString() @MaxLength(20) use?: string
  @IsOptional() @IsArray() @ArrayMaxSize(10) @IsString({ each: true }) key_ops?: string[]
  @IsOptional() @IsBoolean() ext?: boolean
  @ValidateIf((key: ClientKeyBody) => key.d !== undefined) @IsAbsent() @JSONSchema({ not: {} }) d?: string
}

export function toClientKey({ kid, kty, crv, x, y }: ClientKeyBody): ClientKey {
  return { kid, kty, crv, x, ...(y === undefined ? {} : { y }) }
}
