import type { Authorisation } from '../../domain/key-share/events.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { type AggregateLog, load } from '../load.ts'
import type { Process } from './process.ts'
import { askEach, CeremonyFailed } from './rounds.ts'

const CONCURRENCY = 16
const TIMEOUT_MS = 5_000

/** Has every holder of a revoked key destroy its share. Holders may be asked again; the event comes back until each has confirmed. */
export function keyRevocationProcess({ log, channel }: { log: AggregateLog; channel: PartyChannel }): Process {
  return {
    name: 'key-revocation',
    reactsTo: ['KeyRevoked'],
    concurrency: CONCURRENCY,
    async react(event) {
      const { state } = await load(log, { decider: keyShare, stream: event.stream })
      const { keyId, scheme, parties } = requireKey(state)
      const { authorisation } = event.data as { authorisation: Authorisation }
      try {
        await askEach(channel, { scheme, kind: 'revocation', ceremonyId: keyId, attempt: 1 }, parties, 'destroyed', () => ({
          round: 1,
          request: { type: 'destroyShares', keyId, authorisation },
          timeoutMs: TIMEOUT_MS,
        }))
      } catch (error) {
        if (!(error instanceof CeremonyFailed)) throw error
        throw new Unavailable(`share destruction by ${error.culprits.join(', ')}`, { cause: error })
      }
    },
  }
}
