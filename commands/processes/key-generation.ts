import { setTimeout as delay } from 'node:timers/promises'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { type GenerationTiming, generateSharedKey } from './key-generation-rounds.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { CeremonyFailed } from './rounds.ts'

export type KeyGenerationDependencies = {
  log: AggregateLog
  channel: PartyChannel
  progress: Progress
  timing?: Timing
}

type Timing = Pick<GenerationTiming, 'roundTimeoutMs'> & {
  /** How long parties that are down or slow are waited for, over all attempts. */
  patienceMs: number
  /** How long they are waited for in any one attempt at least. */
  windowMs: number
  betweenAttemptsMs: number
}

const NAME = 'key-generation'
/** Each keeps every one of its parties busy for a while. */
const CONCURRENCY = 4
const FAILED_ATTEMPTS = 3
/** Those of coordinators that went away included; parties refuse more. */
const MAX_ATTEMPTS = 8
/** All holders are needed; one that has died is started again within some six seconds. */
const TIMING: Timing = { patienceMs: 15_000, windowMs: 3_000, roundTimeoutMs: 5_000, betweenAttemptsMs: 500 }

/** Generates the key that is asked for, with all of its holders. */
export function keyGenerationProcess({ log, channel, progress, timing = TIMING }: KeyGenerationDependencies): Process {
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
    let failure = new CeremonyFailed('interrupted', [])
    const givesUpAt = Date.now() + timing.patienceMs

    for (let failed = 0; failed < FAILED_ATTEMPTS; failed++) {
      const number = key.attempt + 1 + failed
      if (number > MAX_ATTEMPTS) break
      if (failed > 0) await delay(timing.betweenAttemptsMs)
      const left = givesUpAt - Date.now()
      if (left <= 0) break
      const attempt: CeremonyAttempt = { scheme, kind: 'key-generation', ceremonyId: keyId, attempt: number }
      await carryOut({ type: 'StartKeyGeneration', attempt: number })
      progress(attempt, 'started')
      try {
        const generated = await generateSharedKey(channel, {
          attempt,
          key: { keyId, threshold, parties, authorisation, policy },
          timing: { windowMs: Math.max(timing.windowMs, left), roundTimeoutMs: timing.roundTimeoutMs },
          onCommitments: (digests) => carryOut({ type: 'RecordCommitments', attempt: number, digests }),
          onRound: (round) => progress(attempt, 'round_completed', round),
        })
        await carryOut({ type: 'CompleteKeyGeneration', attempt: number, ...generated })
        return progress(attempt, 'completed')
      } catch (error) {
        if (!(error instanceof CeremonyFailed)) throw error
        failure = error
        progress(attempt, 'attempt_failed')
      }
    }
    await carryOut({ type: 'FailKeyGeneration', code: failure.code, culprits: failure.culprits })
    progress({ kind: 'key-generation', ceremonyId: keyId }, 'failed')
  }

  return { name: NAME, reactsTo: ['KeyGenerationRequested'], concurrency: CONCURRENCY, react }
}
