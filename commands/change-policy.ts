import 'reflect-metadata'
import { Type } from 'class-transformer'
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsDefined, IsOptional, ValidateNested } from 'class-validator'
import { verifyPolicyChange } from '../domain/authorisation/approvals.ts'
import { intentId } from '../domain/authorisation/intent.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { keyPolicyOf, MAX_CLIENT_KEYS } from '../domain/wallet/policy.ts'
import { readPolicyChange } from '../domain/wallet/read-policy-change.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { ClientKeyBody } from './client-key-body.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent, unlessRefused } from './intents.ts'
import { PolicyBody } from './policy-body.ts'
import { requireSpelled } from './policy-on-chains.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findWallet } from './tenancy.ts'

export class ChangePolicyBody {
  @IsDefined() @ValidateNested() @Type(() => PolicyBody) policy!: PolicyBody

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_CLIENT_KEYS)
  @ArrayUnique((key?: ClientKeyBody) => key?.kid, { message: 'each key needs a kid of its own' })
  @ValidateNested({ each: true })
  @Type(() => ClientKeyBody)
  clientKeys?: ClientKeyBody[]
}

export const changePolicy = ({ log, verify, chains }: Pick<CommandDependencies, 'log' | 'verify' | 'chains'>) =>
  route({
    method: 'POST',
    path: '/v1/wallets/:walletId/policy',
    tag: 'wallets',
    summary: "Replace a wallet's policy, and its client keys if there are any in the body",
    description:
      'Every party that holds a share of a key of the wallet seals it with the new policy, and decides by the old one whether it may.',
    roles: ['client'],
    intent: true,
    approvals: true,
    body: ChangePolicyBody,
    answers: { 202: { description: 'The policy was changed' } },
    async handle(request) {
      const { walletId } = request.params
      const found = await findWallet(log, walletId, request.principal)
      requireIntent(request, found, verify)
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        async (): Promise<WalletCommand> => {
          // What is in force now decides, also when another change was first.
          const policy = keyPolicyOf(await findWallet(log, walletId, request.principal))
          const authorisation = authorisationOf(request)
          const { approvals } = request
          const intents = unlessRefused('Quorate-Approvals', () =>
            verifyPolicyChange({ authorisation, approvals }, { policy, verify, now: Date.now() }),
          )
          const change = readPolicyChange(authorisation.body)
          requireSpelled(chains, change.policy.transfers)
          return {
            type: 'ChangePolicy',
            ...change,
            authorisation,
            approvals,
            intents: intents.map(intentId),
          }
        },
        contextOf(request, found.tenant),
      )
      return { status: 202, body: { walletId }, location: `/v1/wallets/${walletId}`, position }
    },
  })
