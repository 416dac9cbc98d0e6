import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { type WalletCommand, wallet } from '../../domain/wallet/wallet.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { inAnswerTo, type Process } from './process.ts'

const NAME = 'key-attachment'
const CONCURRENCY = 16

/** Gives a finished key to its wallet. */
export function keyAttachmentProcess({ log }: { log: AggregateLog }): Process {
  return {
    name: NAME,
    reactsTo: ['KeyGenerationCompleted'],
    concurrency: CONCURRENCY,
    async react(event) {
      const { state } = await load(log, { decider: keyShare, stream: event.stream })
      const { keyId, walletId, scheme, publicKey } = requireKey(state)
      await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({ type: 'AttachKey', keyId, scheme, publicKey: publicKey! }),
        inAnswerTo(event, NAME),
      )
    },
  }
}
