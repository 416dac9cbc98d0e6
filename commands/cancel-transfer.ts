import { IsOptional, IsString, MaxLength } from 'class-validator'
import { walletStream } from '../domain/wallet/events.ts'
import { statusOf } from '../domain/wallet/transfers/holdings.ts'
import { isEnd } from '../domain/wallet/transfers/transfer.ts'
import { readWantedCancellation } from '../domain/wallet/transfers/wanted-transfer.ts'
import { requireWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findTransfer, findWallet } from './tenancy.ts'

export class CancelTransferBody {
  @IsOptional() @IsString() @MaxLength(1_000) maxFee?: string
}

export const cancelTransfer = ({ log, verify }: Pick<CommandDependencies, 'log' | 'verify'>) =>
  route({
    method: 'POST',
    path: '/v1/transfers/:transferId/cancel',
    tag: 'transfers',
    summary: 'Cancel a transfer',
    description:
      'What is not built yet is cancelled at once. Afterwards another transaction has to take its place in the chain, where the chain can do that: whichever of the two is mined decides.',
    roles: ['client'],
    intent: true,
    body: CancelTransferBody,
    answers: {
      200: { description: 'The transfer is cancelled' },
      202: { description: 'A transaction that takes its place has been asked for' },
    },
    async handle(request) {
      const { transferId } = request.params
      const { walletId, tenant } = await findTransfer(log, transferId, request.principal)
      requireIntent(request, await findWallet(log, walletId, request.principal), verify)
      const authorisation = authorisationOf(request)
      const { maxFee } = readWantedCancellation(authorisation.body)
      const { state, position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({
          type: 'CancelTransfer',
          transferId,
          maxFee: maxFee === null ? null : String(maxFee),
          by: request.principal.sub,
          authorisation,
        }),
        contextOf(request, tenant),
      )
      const status = statusOf(requireWallet(state), transferId)
      const isOver = status === undefined || isEnd(status)
      return { status: isOver ? 200 : 202, body: { transferId, status }, location: `/v1/transfers/${transferId}`, position }
    },
  })
