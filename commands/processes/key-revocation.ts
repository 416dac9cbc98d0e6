import type { CeremonyRequest } from '../../domain/ceremony/messages.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { Personal } from '../../domain/personal-data/sealed.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { type AggregateLog, load } from '../load.ts'
import { inClear } from '../personal-data.ts'
import { insist, unlessUndone } from './insistence.ts'
import { bringPolicyChanges } from './policy-change.ts'
import type { Process } from './process.ts'
import { askEach } from './rounds.ts'

const CONCURRENCY = 16
const TIMEOUT_MS = 5_000

/** Has every holder of a revoked key destroy its share. Holders may be asked again; the event comes back until each has confirmed, or will not. */
export function keyRevocationProcess({ log, channel }: { log: AggregateLog; channel: PartyChannel }): Process {
  return {
    name: 'key-revocation',
    reactsTo: ['KeyRevoked'],
    concurrency: CONCURRENCY,
    async react(event) {
      const { state } = await load(log, { decider: keyShare, stream: event.stream })
      const { keyId, walletId, scheme, parties } = requireKey(state)
      const data = event.data as { authorisation: Personal<Authorisation> }
      const authorisation = await inClear(log, walletId, 'authorisation', data.authorisation)
      const attempt = { scheme, kind: 'revocation', ceremonyId: keyId, attempt: 1 } as const
      const request: CeremonyRequest = { type: 'destroyShares', keyId, authorisation }
      // Who asks may be known to holders by a change of the policy that they have not heard of yet.
      await bringPolicyChanges({ log, channel }, { keyId, walletId }, { evenRevoked: true }).catch(unlessUndone)
      await insist(`destruction of the shares of key ${keyId}`, () =>
        askEach(channel, attempt, parties, 'destroyed', () => ({ round: 1, request, timeoutMs: TIMEOUT_MS })),
      )
    },
  }
}
