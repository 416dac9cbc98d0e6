import 'reflect-metadata'
import { Type } from 'class-transformer'
import { IsDefined, ValidateNested } from 'class-validator'
import { walletStream } from '../domain/wallet/events.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { PolicyBody, policyOf } from './policy-body.ts'
import { contextOf } from './request-context.ts'
import { findWallet } from './tenancy.ts'

export class ChangePolicyBody {
  @IsDefined() @ValidateNested() @Type(() => PolicyBody) policy!: PolicyBody
}

export const changePolicy = ({ log }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/wallets/:walletId/policy',
    tag: 'wallets',
    summary: "Replace a wallet's policy",
    roles: ['client'],
    intent: true,
    body: ChangePolicyBody,
    answers: { 202: { description: 'The policy was changed' } },
    async handle(request) {
      const { walletId } = request.params
      const { tenant } = await findWallet(log, walletId, request.principal)
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({ type: 'ChangePolicy', policy: policyOf(request.body.policy) }),
        contextOf(request, tenant),
      )
      return { status: 202, body: { walletId }, location: `/v1/wallets/${walletId}`, position }
    },
  })
