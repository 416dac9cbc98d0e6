import 'reflect-metadata'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { type ClientKey, walletStream } from '../domain/wallet/events.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { absent } from './aggregate.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { PolicyBody, policyOf } from './policy-body.ts'
import { contextOf } from './request-context.ts'

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
  @IsString() @IsNotEmpty() @MaxLength(200) kid!: string
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

export class CreateWalletBody {
  @IsString() @IsNotEmpty() @MaxLength(200) @Matches(/^\P{Cc}*$/u, { message: 'name must not hold control characters' }) name!: string

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @ArrayUnique((key?: ClientKeyBody) => key?.kid, { message: 'each key needs a kid of its own' })
  @ValidateNested({ each: true })
  @Type(() => ClientKeyBody)
  clientKeys!: ClientKeyBody[]

  @IsOptional() @ValidateNested() @Type(() => PolicyBody) policy?: PolicyBody
}

export const createWallet = ({ log }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/wallets',
    tag: 'wallets',
    summary: 'Create a wallet',
    roles: ['client'],
    body: CreateWalletBody,
    answers: {
      201: {
        description: 'The wallet was created',
        schema: { type: 'object', required: ['walletId'], properties: { walletId: { type: 'string', format: 'uuid' } } },
      },
    },
    async handle(request) {
      const { principal, body } = request
      // The command that creates something gives it its id, so that the same command can only ever create one.
      const walletId = request.commandId
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({
          type: 'CreateWallet',
          walletId,
          tenant: principal.tenant,
          name: body.name,
          clientKeys: body.clientKeys.map(toClientKey),
          policy: policyOf(body.policy),
        }),
        contextOf(request, principal.tenant),
        absent(wallet),
      )
      return { status: 201, body: { walletId }, location: `/v1/wallets/${walletId}`, position }
    },
  })

function toClientKey({ kid, kty, crv, x, y }: ClientKeyBody): ClientKey {
  return { kid, kty, crv, x, ...(y === undefined ? {} : { y }) }
}

/** A point of the curve, in its one spelling (RFC 7518, section 6), under which nobody can sign without the private key. */
function isPublicKey({ kty, crv, x, y }: ClientKeyBody): boolean {
  try {
    if (kty === 'OKP' && crv === 'Ed25519') return y === undefined && !ed25519.Point.fromBytes(coordinate(x)).isSmallOrder()
    if (kty !== 'EC' || crv !== 'P-256' || y === undefined) return false
    p256.Point.fromBytes(Uint8Array.of(4, ...coordinate(x), ...coordinate(y)))
    return true
  } catch {
    return false
  }
}

function coordinate(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 32 || bytes.toString('base64url') !== text) throw new RangeError('not 32 bytes of base64url')
  return bytes
}
