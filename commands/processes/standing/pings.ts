import { type Messages, NoResponders, RequestTimeout } from '../../../domain/ports/messages.ts'
import type { KeptStanding } from './party-standing.ts'

const EVERY_MS = 15_000
const TIMEOUT_MS = 2_000

/** Asks each party on `quorate.party.<partyId>.health` whether it lives, also those whose circuit is open, until the returned function is called. */
export function pingParties(
  messages: Pick<Messages, 'request'>,
  parties: readonly string[],
  standing: Pick<KeptStanding, 'pinged'>,
  { everyMs = EVERY_MS, timeoutMs = TIMEOUT_MS } = {},
): () => void {
  const ping = (partyId: string) =>
    messages.request(`quorate.party.${partyId}.health`, new Uint8Array(), { timeoutMs }).then(
      () => standing.pinged(partyId, true),
      (error: unknown) => {
        // What else goes wrong is the broker's doing.
        if (error instanceof NoResponders || error instanceof RequestTimeout) standing.pinged(partyId, false)
      },
    )
  const timer = setInterval(() => {
    for (const partyId of parties) void ping(partyId)
  }, everyMs).unref()
  return () => clearInterval(timer)
}
