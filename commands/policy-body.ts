import 'reflect-metadata'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  Max,
  Min,
  ValidateNested,
} from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { readClientKey } from '../domain/authorisation/client-key.ts'
import { PRESIGNATURE_TIERS, type PresignatureTier } from '../domain/authorisation/key-policy.ts'
import { readTransferRules } from '../domain/policy/read-rules.ts'
import { DEFAULT_POLICY, MAX_APPROVERS, MAX_REQUIRED_APPROVALS, type WalletPolicy } from '../domain/wallet/policy.ts'
import { ClientKeyBody, toClientKey } from './client-key-body.ts'
import { TRANSFER_RULES_SCHEMA } from './transfer-rules-schema.ts'

export class ApprovalsBody {
  @IsInt() @Min(1) @Max(MAX_REQUIRED_APPROVALS) required!: number

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_APPROVERS)
  @ArrayUnique((key?: ClientKeyBody) => key?.kid, { message: 'each key needs a kid of its own' })
  @ValidateNested({ each: true })
  @Type(() => ClientKeyBody)
  approvers!: ClientKeyBody[]
}

/** A wallet's policy as clients send it; what is left out takes its default. */
export class PolicyBody {
  @IsOptional() @IsBoolean() rawDigests?: boolean
  @IsOptional() @ValidateNested() @Type(() => ApprovalsBody) approvals?: ApprovalsBody
  @IsOptional() @IsIn(PRESIGNATURE_TIERS) presignatures?: PresignatureTier
  @IsOptional() @IsObject() @JSONSchema(TRANSFER_RULES_SCHEMA) transfers?: object
}

/** The whole policy behind a body. @throws DomainError `transfer_rules_invalid` */
export function policyOf(body: PolicyBody | undefined): WalletPolicy {
  if (!body) return DEFAULT_POLICY
  const { rawDigests = DEFAULT_POLICY.rawDigests, approvals, presignatures, transfers } = body
  return {
    rawDigests,
    ...(approvals ? { approvals: { required: approvals.required, approvers: approvals.approvers.map(toClientKey) } } : {}),
    ...(presignatures === undefined ? {} : { presignatures }),
    ...(transfers === undefined ? {} : { transfers: readTransferRules(transfers, '/policy/transfers', readClientKey) }),
  }
}
