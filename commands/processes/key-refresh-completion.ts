import { hexToBytes } from '@noble/hashes/utils.js'
import type { CeremonyAttempt, CeremonyRequest, ShareReference } from '../../domain/ceremony/messages.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { type AggregateLog, load } from '../load.ts'
import { insist } from './insistence.ts'
import type { Process } from './process.ts'
import { type Answer, askEach } from './rounds.ts'

const CONCURRENCY = 16
const TIMEOUT_MS = 5_000

/**
 * Has every holder of a refreshed key confirm its new share, and once all have, destroy the old one. Holders may be asked again; the event
 * comes back until each has done so, or the next refresh has made that superfluous.
 */
export function keyRefreshCompletionProcess({ log, channel }: { log: AggregateLog; channel: PartyChannel }): Process {
  return {
    name: 'key-refresh-completion',
    reactsTo: ['KeyRefreshCompleted'],
    concurrency: CONCURRENCY,
    async react(event) {
      const key = requireKey((await load(log, { decider: keyShare, stream: event.stream })).state)
      const { epoch: completed } = event.data as { epoch: number }
      if (key.status === 'revoked' || key.epoch !== completed) return
      const { keyId, scheme, parties, epoch, attempt, publicKey } = key
      const share: ShareReference = { keyId, epoch, attempt, publicKey: hexToBytes(publicKey!) }
      const at: CeremonyAttempt = { scheme, kind: 'refresh-completion', ceremonyId: keyId, attempt }
      const askAll = <Type extends Answer['type']>(round: number, type: Type, request: CeremonyRequest) =>
        askEach(channel, at, parties, type, () => ({ round, request, timeoutMs: TIMEOUT_MS }))
      await insist(`completion of the refresh of key ${keyId}`, async () => {
        const confirmed = await askAll(1, 'confirmed', { type: 'confirmRefresh', share })
        const confirmations = [...confirmed].map(([from, { signature }]) => ({ from, signature }))
        await askAll(2, 'completed', { type: 'completeRefresh', share, confirmations })
      })
    },
  }
}
