import { encodePolicy, policyDigest } from '../../domain/authorisation/key-policy.ts'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { inAttempts, timingOf } from './attempts.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { makeShares } from './share-making.ts'

export type KeyGenerationDependencies = {
  log: AggregateLog
  channel: PartyChannel
  progress: Progress
}

const NAME = 'key-generation'
/** Each keeps every one of its parties busy for a while. */
const CONCURRENCY = 4

/** Generates the key that is asked for, with all of its holders. */
export function keyGenerationProcess({ log, channel, progress }: KeyGenerationDependencies): Process {
  async function react(event: RecordedEvent): Promise<void> {
    const aggregate = { decider: keyShare, stream: event.stream }
    const key = requireKey((await load(log, aggregate)).state)
    if (key.status !== 'pending' && key.status !== 'generating') return
    await generate(key, (command) =>
      unlessOvertaken(
        ['key_not_pending'],
        execute(log, aggregate, () => command, inAnswerTo(event, NAME)),
      ),
    )
  }

  async function generate(key: ExistingKeyShare, carryOut: (command: KeyShareCommand) => Promise<unknown>): Promise<void> {
    const { keyId, scheme, threshold, parties, authorisation } = key
    const policy = encodePolicy(key.policy)
    const failure = await inAttempts(
      { last: key.attempt, before: 0, timing: timingOf(scheme), channel },
      async (number, { windowMs, roundTimeoutMs }) => {
        const attempt: CeremonyAttempt = { scheme, kind: NAME, ceremonyId: keyId, attempt: number }
        await carryOut({ type: 'StartKeyGeneration', attempt: number })
        progress(attempt, 'started')
        const generated = await makeShares(channel, {
          attempt,
          request: { type: 'generateKey', key: { keyId, threshold, parties, authorisation, policy } },
          participants: parties,
          alike: parties,
          rounds: protocolOf(scheme).rounds.keyGeneration,
          key,
          policyDigest: policyDigest(policy),
          windowMs,
          roundTimeoutMs,
          onCommitments: (digests) => carryOut({ type: 'RecordCommitments', attempt: number, digests }),
          onRound: (round) => progress(attempt, 'round_completed', round),
        })
        await carryOut({ type: 'CompleteKeyGeneration', attempt: number, ...generated })
        progress(attempt, 'completed')
      },
    )
    if (!failure) return
    await carryOut({ type: 'FailKeyGeneration', code: failure.code, culprits: failure.culprits })
    progress({ kind: NAME, ceremonyId: keyId }, 'failed')
  }

  return { name: NAME, reactsTo: ['KeyGenerationRequested'], concurrency: CONCURRENCY, react }
}
