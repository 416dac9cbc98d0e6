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

export type Timing = { hedgeAfterMs: number; windowMs: number }

const ASK_AGAIN_AFTER_MS = 150

/** What a party can get over while the window is open. */
const PASSING = ['party_unavailable', 'busy', 'vault_unavailable']

/**
 * Collects the first round of as many parties as are needed. The likeliest are asked first; one that fails is replaced at once, and when
 * they are slow all others are asked as well. Whoever opens first takes part. Parties that are down are asked again until the window closes.
 */
export async function gatherOpenings(
  channel: PartyChannel,
  attempt: CeremonyAttempt,
  request: CeremonyRequest,
  { candidates, needed, hedgeAfterMs, windowMs }: { candidates: readonly string[]; needed: number } & Timing,
): Promise<Openings> {
  const said = new Map<string, Said>()
  const failures = new Map<string, string>()
  const asking = new Map<string, Promise<void>>()
  const over = new AbortController()
  const { signal } = over
  const waiting = [...candidates]
  const closesAt = Date.now() + windowMs
  let slow: string[] = []

  const askNext = () => {
    const party = waiting.shift()
    if (party !== undefined) asking.set(party, ask(party))
  }

  const ask = async (to: string): Promise<void> => {
    while (!signal.aborted) {
      const outcome = await askParty(channel, attempt, { to, round: 1, request, timeoutMs: closesAt - Date.now(), signal })
      if (signal.aborted) return
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

  for (let i = 0; i < needed; i++) askNext()
  const closing = delay(windowMs, undefined, { signal })
  try {
    await Promise.race([closing, allAsked(), hedge().then(() => closing)])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    over.abort()
    await Promise.allSettled(asking.values())
  }
  return { said, slow, failures }
}
