import { hexToBytes } from '@noble/hashes/utils.js'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { inClear, unlessErased } from '../personal-data.ts'
import { inAttempts, timingOf } from './attempts.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { askParty, CeremonyFailed } from './rounds.ts'
import { makeShares } from './share-making.ts'

export type KeyRefreshDependencies = {
  log: AggregateLog
  channel: PartyChannel
  progress: Progress
}

const NAME = 'key-refresh'
const CONCURRENCY = 4
const DISCARD_WITHIN_MS = 1_000

type Refresh = NonNullable<ExistingKeyShare['refresh']> & { authorisation: Authorisation }

/**
 * Gives all holders of a key new shares, those of the next epoch. Until every one of them has its own the key signs with the old ones; what an
 * attempt that fails has left at the parties is discarded before the failure is recorded.
 */
export function keyRefreshProcess({ log, channel, progress }: KeyRefreshDependencies): Process {
  async function react(event: RecordedEvent): Promise<void> {
    const aggregate = { decider: keyShare, stream: event.stream }
    const key = requireKey((await load(log, aggregate)).state)
    if (!key.refresh) return
    const carryOut = (command: KeyShareCommand) =>
      unlessOvertaken(
        ['key_not_refreshing'],
        execute(log, aggregate, () => command, inAnswerTo(event, NAME)),
      )
    const authorisation = await inClear(log, key.walletId, 'authorisation', key.refresh.authorisation).catch(unlessErased)
    if (authorisation) await refresh(key, { ...key.refresh, authorisation }, carryOut)
    else await carryOut({ type: 'FailKeyRefresh', epoch: key.epoch + 1, code: 'personal_data_erased', culprits: [] })
  }

  async function refresh(
    key: ExistingKeyShare,
    { authorisation, attemptsBefore }: Refresh,
    carryOut: (command: KeyShareCommand) => Promise<unknown>,
  ): Promise<void> {
    const { keyId, scheme, parties } = key
    const epoch = key.epoch + 1
    const share = { keyId, epoch: key.epoch, attempt: key.attempt, publicKey: hexToBytes(key.publicKey!) }

    const failure = await inAttempts(
      { last: key.refreshAttempts, before: attemptsBefore, timing: timingOf(scheme), channel },
      async (number, { windowMs, roundTimeoutMs }) => {
        const attempt: CeremonyAttempt = { scheme, kind: 'refresh', ceremonyId: keyId, attempt: number }
        await carryOut({ type: 'StartKeyRefresh', epoch, attempt: number })
        progress(attempt, 'started')
        try {
          const made = await makeShares(channel, {
            attempt,
            request: { type: 'refreshKey', share, authorisation },
            participants: parties,
            alike: parties,
            rounds: protocolOf(scheme).rounds.refresh,
            key,
            windowMs,
            roundTimeoutMs,
            onRound: (round) => progress(attempt, 'round_completed', round),
          })
          if (made.publicKey !== key.publicKey) throw new CeremonyFailed('package_mismatch', [])
          await carryOut({ type: 'CompleteKeyRefresh', epoch, attempt: number, ...made })
          progress(attempt, 'completed')
        } catch (error) {
          if (error instanceof CeremonyFailed) {
            await discard(attempt, parties, { ...share, epoch, attempt: number })
            progress(attempt, 'attempt_failed')
          }
          throw error
        }
      },
    )
    if (!failure) return
    progress({ kind: 'refresh', ceremonyId: keyId }, 'failed')
    await carryOut({ type: 'FailKeyRefresh', epoch, code: failure.code, culprits: failure.culprits })
  }

  /** A party that does not hear of it discards the share when the next attempt begins, or the next refresh is completed. */
  async function discard(
    { scheme, ceremonyId, attempt }: CeremonyAttempt,
    parties: readonly string[],
    share: { keyId: string; epoch: number; attempt: number; publicKey: Uint8Array },
  ): Promise<void> {
    const at: CeremonyAttempt = { scheme, kind: 'refresh-completion', ceremonyId, attempt }
    const request = { type: 'discardRefresh', share } as const
    await Promise.all(parties.map((to) => askParty(channel, at, { to, round: 1, request, timeoutMs: DISCARD_WITHIN_MS })))
  }

  return { name: NAME, reactsTo: ['KeyRefreshRequested'], concurrency: CONCURRENCY, react }
}
