import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { FEE_LEVELS, type FeeLevel } from '../domain/ports/chain-node.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { requireTransfer } from '../domain/wallet/transfers/holdings.ts'
import { readWantedAcceleration } from '../domain/wallet/transfers/wanted-transfer.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { requireNode } from './chain-answers.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findTransfer, findWallet } from './tenancy.ts'

export class AccelerateTransferBody {
  @IsIn(FEE_LEVELS) fee!: FeeLevel
  @IsOptional() @IsString() @MaxLength(1_000) maxFee?: string
}

export const accelerateTransfer = ({ log, verify, nodes }: Pick<CommandDependencies, 'log' | 'verify' | 'nodes'>) =>
  route({
    method: 'POST',
    path: '/v1/transfers/:transferId/accelerate',
    tag: 'transfers',
    summary: 'Have the same transfer mined sooner, at a higher fee',
    roles: ['client'],
    intent: true,
    body: AccelerateTransferBody,
    answers: { 202: { description: 'A transaction with a higher fee has been asked for' } },
    async handle(request) {
      const { transferId } = request.params
      const { walletId, tenant } = await findTransfer(log, transferId, request.principal)
      requireIntent(request, await findWallet(log, walletId, request.principal), verify)
      const authorisation = authorisationOf(request)
      const { fee, maxFee } = readWantedAcceleration(authorisation.body)
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        async (): Promise<WalletCommand> => {
          const { chain } = requireTransfer(await findWallet(log, walletId, request.principal), transferId)
          requireNode(nodes, chain)
          const by = request.principal.sub
          return { type: 'AccelerateTransfer', transferId, fee, maxFee: maxFee === null ? null : String(maxFee), by, authorisation }
        },
        contextOf(request, tenant),
      )
      return { status: 202, body: { transferId }, location: `/v1/transfers/${transferId}`, position }
    },
  })
