import { walletStream } from '../domain/wallet/events.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { ReasonBody } from './reason-body.ts'
import { contextOf } from './request-context.ts'
import { findWallet } from './tenancy.ts'

/** A frozen wallet makes no keys and signs nothing. */
export const freezeWallet = (dependencies: CommandDependencies) =>
  freezing(dependencies, '/v1/wallets/:walletId/freeze', 'Freeze a wallet', 'Freeze')

export const unfreezeWallet = (dependencies: CommandDependencies) =>
  freezing(dependencies, '/v1/wallets/:walletId/unfreeze', 'Unfreeze a wallet', 'Unfreeze')

function freezing<Path extends `/v1/wallets/:walletId/${string}`>(
  { log, verify }: CommandDependencies,
  path: Path,
  summary: string,
  type: 'Freeze' | 'Unfreeze',
) {
  return route<Path, ReasonBody>({
    method: 'POST',
    path,
    tag: 'wallets',
    summary,
    description: 'Operators need no intent.',
    roles: ['client', 'operator'],
    intent: true,
    body: ReasonBody,
    answers: { 202: { description: 'Done' } },
    async handle(request) {
      const { walletId } = request.params as { walletId: string }
      const found = await findWallet(log, walletId, request.principal)
      if (!request.principal.roles.includes('operator')) requireIntent(request, found, verify)
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({ type, reason: request.body.reason ?? '' }),
        contextOf(request, found.tenant),
      )
      return { status: 202, body: { walletId }, location: `/v1/wallets/${walletId}`, position }
    },
  })
}
