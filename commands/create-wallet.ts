import 'reflect-metadata'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator'
import { walletStream } from '../domain/wallet/events.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { absent } from './aggregate.ts'
import { ClientKeyBody, toClientKey } from './client-key-body.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { PolicyBody, policyOf } from './policy-body.ts'
import { requireSpelled } from './policy-on-chains.ts'
import { contextOf } from './request-context.ts'

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

export const createWallet = ({ log, chains }: CommandDependencies) =>
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
      const policy = policyOf(body.policy)
      requireSpelled(chains, policy.transfers)
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({
          type: 'CreateWallet',
          walletId,
          tenant: principal.tenant,
          name: body.name,
          clientKeys: body.clientKeys.map(toClientKey),
          policy,
        }),
        contextOf(request, principal.tenant),
        absent(wallet),
      )
      return { status: 201, body: { walletId }, location: `/v1/wallets/${walletId}`, position }
    },
  })
