import { setTimeout as delay } from 'node:timers/promises'
import type { CeremonyAttempt, CeremonyRequest } from '../../domain/ceremony/messages.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { askParty, type Said } from './rounds.ts'

export type Openings = {
  /** In the order in which they came; as many as were needed, unless the window closed. */
  said: ReadonlyMap<string, Said>
  /** Parties asked at first that had not answered when the others were asked too. */
  slow: readonly string[]
  /** Why parties that were asked have not opened, as far as they said. */
  failures: ReadonlyMap<string, string>
}

export type Timing = {
  /** After this the parties that were not asked at first are asked too. */
  hedgeAfterMs: number
  /** How long everybody is waited for. */
  windowMs: number
  /** How long those are waited for that live but have not answered yet. */
  patienceMs: number
}

const ASK_AGAIN_AFTER_MS = 150
/** A question may be lost with whoever held it. Asked again in the same words it is answered the same, and costs the party nothing. */
const ANSWER_WITHIN_MS = 1_000
const LOOK_EVERY_MS = 100

/** What a party can get over while it is waited for, and of that what only a living one says or does. */
const LIVING = ['party_timeout', 'busy', 'vault_unavailable']
const PASSING = ['party_unavailable', 'reply_forged', ...LIVING]

export type OpeningsWanted = {
  /** The likeliest first. */
  candidates: readonly string[]
  needed: number
  /** Whether something has been heard of the party lately. */
  isUp(partyId: string): boolean
}

/**
 * Collects the first round of as many parties as are needed. The likeliest are asked first; one that fails is replaced at once, and when
 * they are slow all others are asked as well. Whoever opens first takes part. Parties that are down are asked again until the window closes,
 * which it does later while parties of which something is heard could still make up the number.
 */
export async function gatherOpenings(
  channel: PartyChannel,
  attempt: CeremonyAttempt,
  request: CeremonyRequest,
  { candidates, needed, isUp, hedgeAfterMs, windowMs, patienceMs }: OpeningsWanted & Timing,
): Promise<Openings> {
  const said = new Map<string, Said>()
  const failures = new Map<string, string>()
  const asking = new Map<string, Promise<void>>()
  const unanswered = new Set<string>()
  const over = new AbortController()
  const { signal } = over
  const waiting = [...candidates]
  let slow: string[] = []

  const askNext = () => {
    const party = waiting.shift()
    if (party !== undefined) asking.set(party, ask(party))
  }

  const ask = async (to: string): Promise<void> => {
    while (!signal.aborted) {
      unanswered.add(to)
      const outcome = await askParty(channel, attempt, { to, round: 1, request, timeoutMs: ANSWER_WITHIN_MS, signal })
      if (signal.aborted) return
      unanswered.delete(to)
      if ('answer' in outcome && outcome.answer.type === 'said') {
        said.set(to, outcome.answer)
        failures.delete(to)
        if (said.size === needed) over.abort()
        return
      }
      if (!failures.has(to)) askNext()
      const code = 'failure' in outcome ? outcome.failure.code : 'invalid_reply'
      failures.set(to, code)
      if (!PASSING.includes(code)) return
      await delay(ASK_AGAIN_AFTER_MS, undefined, { signal })
    }
  }

  const hedge = async () => {
    await delay(hedgeAfterMs, undefined, { signal })
    slow = [...asking.keys()].filter((party) => !said.has(party) && !failures.has(party))
    while (waiting.length > 0) askNext()
  }

  const allAsked = async () => {
    // Replacements are asked while others are waited for.
    for (let asked = 0; asked < asking.size; ) {
      asked = asking.size
      await Promise.all(asking.values())
    }
  }

  const mayYetOpen = (party: string) =>
    !said.has(party) && isUp(party) && (unanswered.has(party) || LIVING.includes(failures.get(party) ?? ''))

  const closing = async () => {
    const givesUpAt = Date.now() + patienceMs
    await delay(windowMs, undefined, { signal })
    // A first look comes after a pause: a coordinator that was held up itself has answers and reports to read.
    do await delay(LOOK_EVERY_MS, undefined, { signal })
    while (Date.now() < givesUpAt && said.size + candidates.filter(mayYetOpen).length >= needed)
  }

  for (let i = 0; i < needed; i++) askNext()
  const closed = closing()
  try {
    await Promise.race([closed, allAsked(), hedge().then(() => closed)])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    over.abort()
    await Promise.allSettled(asking.values())
  }
  return { said, slow, failures }
}
