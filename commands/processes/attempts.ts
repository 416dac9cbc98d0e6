import { setTimeout as delay } from 'node:timers/promises'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { CeremonyFailed } from './rounds.ts'

/** In milliseconds, counted from when the first attempt of this coordinator begins: what was done before that for others is not held against it. */
export type AttemptTiming = {
  /** How long parties that are down are waited for, over all attempts. */
  patienceMs: number
  /** How long they are waited for in any one attempt at least. */
  windowMs: number
  /** In the first attempt; as much more in each further one, because what is slow is slower under load. */
  roundTimeoutMs: number
  betweenAttemptsMs: number
}

/** All participants are needed; one that has died is started again within some six seconds. */
const ATTEMPT_TIMING: AttemptTiming = { patienceMs: 15_000, windowMs: 3_000, roundTimeoutMs: 5_000, betweenAttemptsMs: 500 }

/** Where holders set up something in common with each other, that takes each of them seconds of work. */
const PAIRWISE_TIMING: AttemptTiming = { patienceMs: 30_000, windowMs: 10_000, roundTimeoutMs: 30_000, betweenAttemptsMs: 500 }

/** How long holders of a key of this scheme are waited for when they make shares of it. */
export const timingOf = (scheme: Scheme): AttemptTiming =>
  protocolOf(scheme).signing.openedBy === 'all' ? PAIRWISE_TIMING : ATTEMPT_TIMING

const FAILED_ATTEMPTS = 3
/** Those of coordinators that went away included; parties refuse more. */
const MAX_ATTEMPTS = 8

export type Attempts = {
  /** Number of the last attempt, of whatever coordinator. */
  last: number
  /** Attempts that belong to earlier requests. */
  before: number
  timing: AttemptTiming
  channel: Pick<PartyChannel, 'reachable'>
}

/**
 * Makes attempts until one comes off; none is begun while no party can be reached.
 * @returns why the last one did not, if none has
 * @throws Unavailable
 */
export async function inAttempts(
  { last, before, timing, channel }: Attempts,
  make: (attempt: number, patience: { windowMs: number; roundTimeoutMs: number }) => Promise<void>,
): Promise<CeremonyFailed | undefined> {
  let failure = new CeremonyFailed('interrupted', [])
  const givesUpAt = Date.now() + timing.patienceMs
  for (let failed = 0; failed < FAILED_ATTEMPTS; failed++) {
    const attempt = last + 1 + failed
    if (attempt - before > MAX_ATTEMPTS) break
    if (failed > 0) await delay(timing.betweenAttemptsMs)
    const left = givesUpAt - Date.now()
    if (left <= 0 && failure.code === 'party_unavailable') break
    await channel.reachable()
    try {
      await make(attempt, { windowMs: Math.max(timing.windowMs, left), roundTimeoutMs: timing.roundTimeoutMs * (failed + 1) })
      return undefined
    } catch (error) {
      if (!(error instanceof CeremonyFailed)) throw error
      failure = error
    }
  }
  return failure
}
