import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import type { ActiveKey } from '../../domain/key-share/key-share.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { Failure } from '../../domain/signing-session/events.ts'
import type { ExistingSession, SigningSessionCommand } from '../../domain/signing-session/signing-session.ts'
import { collectSignature } from './contributions.ts'
import { signTogether } from './joint-signature.ts'
import { shareOf } from './opening-requests.ts'
import type { Opened } from './openings-to-sign.ts'
import type { Progress } from './progress.ts'
import type { Asked } from './transaction-signing.ts'

/**
 * That an attempt has begun is recorded by itself when the attempt takes longer, or fails; else in one step with its signature. One at a transfer's signature is
 * recorded before any party is asked: whoever goes on with the transfer has to know what parties may have claimed for it.
 */
const RECORD_AFTER_MS = 500

export type CarryOut = (...commands: SigningSessionCommand[]) => Promise<unknown>

export type AttemptDependencies = {
  readonly channel: PartyChannel
  /** Waits longer, for rounds in which signers open together. */
  readonly patientChannel: PartyChannel
  readonly progress: Progress
  readonly roundTimeoutMs: number
}

export type AttemptedSignature = {
  readonly session: ExistingSession
  readonly asked: Asked
  readonly key: ActiveKey
  readonly opened: Opened
  /** What the attempt before has failed with. */
  readonly previous: Failure | null
  readonly carryOut: CarryOut
}

/** One attempt at a session, by those who have opened or are to open together, recorded with its signature. */
export type AttemptSignature = (attempt: CeremonyAttempt, attempted: AttemptedSignature) => Promise<void>

/** An attempt is as `AttemptSignature` says. @throws CeremonyFailed, Overtaken, Unavailable */
export function signingAttempts({ channel, patientChannel, progress, roundTimeoutMs }: AttemptDependencies): AttemptSignature {
  async function attemptSignature(attempt: CeremonyAttempt, attempted: AttemptedSignature): Promise<void> {
    const { session, asked, key, opened, previous, carryOut } = attempted
    const { attempt: number } = attempt
    const { signers, openings, rounds, windowMs = 0 } = opened
    const complete = (round: number): SigningSessionCommand => ({ type: 'CompleteRound', attempt: number, round, rounds })
    const overtaken = new AbortController()
    const openTogether = openings.size === 0
    const openedBefore = openTogether ? 0 : rounds - 1

    const start: SigningSessionCommand = { type: 'StartSigning', attempt: number, signers, previous }
    const beginning = [start, ...(openedBefore > 0 ? [complete(1)] : [])]
    let begun: Promise<unknown> | undefined
    const begin = () => {
      begun ??= carryOut(...beginning)
      return begun
    }
    if (session.transfer) await begin()
    const beginLater = setTimeout(() => begin().catch(() => overtaken.abort()), RECORD_AFTER_MS)
    if (openedBefore > 0) progress(attempt, 'round_completed', 1)
    const task = {
      share: shareOf(key),
      path: session.path ?? 'm',
      ...asked,
    }
    const leftMs = Date.parse(session.deadline) - Date.now()
    const wanted = {
      attempt,
      message: hexToBytes(session.message),
      parties: key.parties,
      publicPackage: hexToBytes(key.publicPackage),
      timeoutMs: Math.min(roundTimeoutMs, leftMs),
      signal: overtaken.signal,
    }
    const collected = openTogether
      ? signTogether(patientChannel, {
          ...wanted,
          task: { ...task, signers },
          windowMs: Math.min(windowMs, leftMs),
          onRound: (round) => progress(attempt, 'round_completed', round),
        })
      : collectSignature(channel, { ...wanted, task: { ...task, openings: [...openings.values()] } })
    const [outcome] = await Promise.allSettled([collected])
    clearTimeout(beginLater)
    if (outcome.status === 'rejected') {
      await begin()
      throw outcome.reason
    }
    progress(attempt, 'round_completed', rounds)
    const { signature, recoveryId } = outcome.value
    const ending: SigningSessionCommand[] = [
      ...Array.from({ length: rounds - openedBefore }, (_, index) => complete(openedBefore + index + 1)),
      {
        type: 'ProduceSignature',
        attempt: number,
        signature: bytesToHex(signature),
        ...(recoveryId !== undefined && { recoveryId }),
      },
    ]
    await begun
    await carryOut(...(begun ? [] : beginning), ...ending)
  }

  return attemptSignature
}
