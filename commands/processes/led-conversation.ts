import { setTimeout as delay } from 'node:timers/promises'
import type { CeremonyAttempt, CeremonyRequest } from '../../domain/ceremony/messages.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { requireAccord } from './accord.ts'
import {
  type Answer,
  accusedBy,
  askEach,
  askParty,
  CeremonyFailed,
  culpritsOf,
  heardBy,
  invalidReply,
  type PartyFailure,
  type Said,
} from './rounds.ts'

export type LedConversation = {
  attempt: CeremonyAttempt
  /** First round, the same for all. */
  request: CeremonyRequest
  /** All are needed. */
  participants: readonly string[]
  /** Those of them who have the same to do, and must go about it alike. */
  alike: readonly string[]
  /** How many times each speaks before its last answer. */
  rounds: number
  /** How long participants that are down are waited for. */
  windowMs: number
  roundTimeoutMs: number
  signal?: AbortSignal
  /** Called with what each has said in a round, and waited for before the next begins. */
  onRound?(round: number, said: ReadonlyMap<string, Said>): unknown
}

const ASK_AGAIN_AFTER_MS = 150
/** A question may be lost with whoever held it. Asked again in the same words, while there is time for that, it is answered the same. */
const ANSWER_WITHIN_MS = 1_000
/** What a party can get over while it is waited for. */
const PASSING = ['party_unavailable', 'reply_forged', 'party_timeout', 'busy', 'vault_unavailable']
/** What a party says of another before it has heard anything of it. */
const KNOWN_BEFORE = ['counterparty_banned', 'setup_missing']

/**
 * Carries what participants say to each other, until each has given its last answer.
 * @throws CeremonyFailed naming those at fault, Unavailable, and what the signal was aborted with
 */
export async function leadConversation<Type extends Answer['type']>(
  channel: PartyChannel,
  conversation: LedConversation,
  last: Type,
): Promise<Map<string, Extract<Answer, { type: Type }>>> {
  const { attempt, participants, alike, rounds, roundTimeoutMs: timeoutMs, signal, onRound } = conversation
  const agreed = async (round: number, said: ReadonlyMap<string, Said>) => {
    requireAccord(new Map([...said].filter(([id]) => alike.includes(id))))
    await onRound?.(round, said)
    return said
  }
  let said = await agreed(1, await openAll(channel, conversation))
  const proceed = <Next extends Answer['type']>(round: number, type: Next) =>
    askEach(channel, attempt, participants, type, (to) => ({
      round,
      request: { type: 'proceed', heard: heardBy(to, said) },
      timeoutMs,
      ...(signal ? { signal } : {}),
    }))
  for (let round = 2; round <= rounds; round++) said = await agreed(round, await proceed(round, 'said'))
  return proceed(rounds + 1, last)
}

/** Asks everybody until it has opened; those that are down, or cannot yet, until the window closes. */
async function openAll(
  channel: PartyChannel,
  { attempt, request, participants, windowMs, roundTimeoutMs, signal }: LedConversation,
): Promise<ReadonlyMap<string, Said>> {
  const closesAt = Date.now() + windowMs
  const timeoutMs = windowMs > 0 ? Math.min(ANSWER_WITHIN_MS, roundTimeoutMs) : roundTimeoutMs
  const question = { round: 1, request, timeoutMs, ...(signal ? { signal } : {}) }
  const failures: PartyFailure[] = []
  const said = new Map<string, Said>()

  const open = async (to: string): Promise<void> => {
    for (;;) {
      const outcome = await askParty(channel, attempt, { to, ...question })
      if ('answer' in outcome && outcome.answer.type === 'said') {
        said.set(to, outcome.answer)
        return
      }
      const failure = 'failure' in outcome ? judged(to, outcome.failure) : unexpected(to, outcome.answer)
      if (!PASSING.includes(failure.code) || Date.now() + ASK_AGAIN_AFTER_MS >= closesAt) {
        failures.push(failure)
        return
      }
      await delay(ASK_AGAIN_AFTER_MS, undefined, { ...(signal ? { signal } : {}) })
    }
  }

  /** Nothing of the others has come to anybody yet that could be held against them. */
  const judged = (to: string, failure: PartyFailure): PartyFailure =>
    accusedBy(to, failure, participants).length > 0 && !KNOWN_BEFORE.includes(failure.code) ? invalidReply(to) : failure

  await Promise.all(participants.map(open))
  const [first] = failures
  if (first) {
    const accused = culpritsOf(failures, participants)
    throw new CeremonyFailed(
      first.code,
      participants.filter((id) => accused.includes(id)),
      [],
      failures,
    )
  }
  return new Map(participants.map((id) => [id, said.get(id)!]))
}

/** A contribution at the beginning is that which the party has made in this attempt before, to a coordinator that has gone. */
const unexpected = (from: string, { type }: Answer): PartyFailure =>
  type === 'contributed' ? { code: 'signed_already', from, culprits: [] } : invalidReply(from)
