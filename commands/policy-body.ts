import 'reflect-metadata'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator'
import { DEFAULT_POLICY, type WalletPolicy } from '../domain/wallet/policy.ts'

export class ApprovalsBody {
  @IsInt() @Min(1) required!: number

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @MaxLength(200, { each: true })
  approvers!: string[]
}

/** A wallet's policy as clients send it; what is left out takes its default. */
export class PolicyBody {
  @IsOptional() @IsBoolean() rawDigests?: boolean
  @IsOptional() @ValidateNested() @Type(() => ApprovalsBody) approvals?: ApprovalsBody
}

/** The whole policy behind a body. */
export function policyOf(body: PolicyBody | undefined): WalletPolicy {
  if (!body) return DEFAULT_POLICY
  const { rawDigests = DEFAULT_POLICY.rawDigests, approvals } = body
  return { rawDigests, ...(approvals ? { approvals: { required: approvals.required, approvers: approvals.approvers } } : {}) }
}
