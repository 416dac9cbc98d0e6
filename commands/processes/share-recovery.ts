import { hexToBytes } from '@noble/hashes/utils.js'
import { encodePolicy, policyDigest } from '../../domain/authorisation/key-policy.ts'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { keyPolicyOf } from '../../domain/wallet/policy.ts'
import { requireWallet, wallet } from '../../domain/wallet/wallet.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { inAttempts, timingOf } from './attempts.ts'
import { unlessUndone } from './insistence.ts'
import { bringPolicyChanges } from './policy-change.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { CeremonyFailed } from './rounds.ts'
import { makeShares } from './share-making.ts'
import { isNobodysFault } from './standing/fault.ts'
import type { PartyStanding } from './standing/party-standing.ts'

export type ShareRecoveryDependencies = {
  log: AggregateLog
  channel: PartyChannel
  standing: Pick<PartyStanding, 'rank' | 'failed'>
  progress: Progress
}

const NAME = 'share-recovery'
const CONCURRENCY = 4

type Recovery = NonNullable<ExistingKeyShare['recovery']>

/** Has as many other holders as sign make the share of a party again that has lost it; those that fail are replaced where there are others. */
export function shareRecoveryProcess({ log, channel, standing, progress }: ShareRecoveryDependencies): Process {
  async function react(event: RecordedEvent): Promise<void> {
    const aggregate = { decider: keyShare, stream: event.stream }
    const key = requireKey((await load(log, aggregate)).state)
    if (!key.recovery) return
    await recover(key, key.recovery, (command) =>
      unlessOvertaken(
        ['key_not_recovering'],
        execute(log, aggregate, () => command, inAnswerTo(event, NAME)),
      ),
    )
  }

  async function recover(
    key: ExistingKeyShare,
    { partyId, authorisation, attemptsBefore }: Recovery,
    carryOut: (command: KeyShareCommand) => Promise<unknown>,
  ): Promise<void> {
    const { keyId, scheme, epoch, threshold, parties } = key
    const publicKey = hexToBytes(key.publicKey!)
    const publicPackage = hexToBytes(key.publicPackage!)
    const timing = timingOf(scheme)
    let mayBeBack = key.recoveryAttempts > attemptsBefore
    const others = parties.filter((id) => id !== partyId)
    /** Were in the way of an attempt, whoever is to blame: asked after all others. */
    const doubtful = new Set<string>()
    // Helpers are asked by the policy that is in force. Whoever has lost its share has lost the old one, too, and cannot follow.
    await bringPolicyChanges({ log, channel }, key).catch(unlessUndone)

    const failure = await inAttempts(
      { last: key.recoveryAttempts, before: attemptsBefore, timing, channel },
      async (number, { windowMs, roundTimeoutMs }) => {
        const attempt: CeremonyAttempt = { scheme, kind: 'recovery', ceremonyId: keyId, attempt: number }
        const owner = await load(log, { decider: wallet, stream: walletStream(key.walletId) })
        const policy = encodePolicy(keyPolicyOf(requireWallet(owner.state)))
        const ranked = standing.rank(others, threshold)
        const helpers = ranked.toSorted((a, b) => Number(doubtful.has(a)) - Number(doubtful.has(b))).slice(0, threshold)
        await carryOut({ type: 'StartShareRecovery', attempt: number, partyId, helpers })
        progress(attempt, 'started')
        try {
          const made = await makeShares(channel, {
            attempt,
            request: {
              type: 'recoverShare',
              recovery: {
                key: { keyId, epoch, attempt: key.attempt, publicKey, threshold, parties, publicPackage, policy },
                lost: partyId,
                helpers,
                authorisation,
              },
            },
            participants: [partyId, ...helpers],
            alike: helpers,
            rounds: protocolOf(scheme).rounds.recovery,
            key,
            policyDigest: policyDigest(policy),
            windowMs: helpers.length < others.length ? Math.min(windowMs, timing.windowMs) : windowMs,
            roundTimeoutMs,
            onRound: (round) => progress(attempt, 'round_completed', round),
          })
          if (made.publicPackage !== key.publicPackage) throw new CeremonyFailed('package_mismatch', [])
          await carryOut({ type: 'CompleteShareRecovery', attempt: number, partyId })
          progress(attempt, 'completed')
        } catch (error) {
          if (!(error instanceof CeremonyFailed)) throw error
          // An attempt before this one has given it back, and its word of that was lost.
          if (error.code === 'share_exists' && mayBeBack) {
            await carryOut({ type: 'CompleteShareRecovery', attempt: number, partyId })
            return progress(attempt, 'completed')
          }
          mayBeBack ||= error.code !== 'share_exists'
          for (const id of error.culprits) {
            doubtful.add(id)
            if (!isNobodysFault(error.code)) standing.failed(id, 'absent')
          }
          progress(attempt, 'attempt_failed')
          throw error
        }
      },
    )
    if (!failure) return
    const { code } = failure
    await carryOut({ type: 'FailShareRecovery', partyId, code, culprits: isNobodysFault(code) ? [] : failure.culprits })
    progress({ kind: 'recovery', ceremonyId: keyId }, 'failed')
  }

  return { name: NAME, reactsTo: ['ShareRecoveryRequested'], concurrency: CONCURRENCY, react }
}
