import { IsIn } from 'class-validator'
import { ERASURE_REASONS, type ErasureReason, walletStream } from '../domain/wallet/events.ts'
import { requireErasable, requireWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { type AggregateLog, load } from './load.ts'
import { requireDataKeys } from './personal-data.ts'
import { contextOf } from './request-context.ts'
import { findWallet } from './tenancy.ts'

export class ErasePersonalDataBody {
  @IsIn(ERASURE_REASONS) reason!: ErasureReason
}

export const erasePersonalData = ({ log, verify }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/wallets/:walletId/erase',
    tag: 'wallets',
    summary: 'Erase what is about people, for ever',
    description:
      'Name, memos and reasons of the wallet until now cannot be read any more, wherever they are stored; the wallet goes on. Operators need no intent.',
    roles: ['client', 'operator'],
    intent: true,
    body: ErasePersonalDataBody,
    answers: { 200: { description: 'It is erased' } },
    async handle(request) {
      const { walletId } = request.params
      const found = await findWallet(log, walletId, request.principal)
      if (!request.principal.roles.includes('operator')) requireIntent(request, found, verify)
      const dataKeys = requireDataKeys(log)
      const aggregate = { decider: wallet, stream: walletStream(walletId) }
      const context = contextOf(request, found.tenant)
      const { commands, position } = await execute(
        log,
        aggregate,
        async (): Promise<WalletCommand> => {
          requireErasable(requireWallet((await load(log, aggregate)).state))
          // Before the event: whoever is at work on the wallet, and comes after it, decides again and seals under the new key.
          return { type: 'ErasePersonalData', keysBefore: await dataKeys.renew(walletId), reason: request.body.reason }
        },
        context,
      )
      await dataKeys.eraseBefore(walletId, await keysBefore(log, aggregate.stream, commands.get(context.commandId)!.revision))
      return { status: 200, body: { walletId }, location: `/v1/wallets/${walletId}`, position }
    },
  })

/** What the erasure says that was carried out, now or when the command was first given. */
async function keysBefore(log: AggregateLog, stream: string, revision: bigint): Promise<number> {
  for await (const { data } of log.readStream(stream, { from: revision, limit: 1 })) return (data as { keysBefore: number }).keysBefore
  throw new Error(`event ${revision} of ${stream} is gone`)
}
