import { Unavailable } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import type { PartyDirectory, PartyHealth } from '../../domain/ports/party-directory.ts'
import { boolean, integer, Malformed, record, text } from './shape.ts'

/** Parties say that they live every second; one that has missed three is taken to be down. */
const SILENT_AFTER_MS = 3_500

const readHealth = record<PartyHealth>({
  partyId: text(64),
  pid: integer(1, Number.MAX_SAFE_INTEGER),
  startedAt: text(40),
  version: text(40),
  vault: text(200),
  keysOpen: boolean,
  shares: integer(0, Number.MAX_SAFE_INTEGER),
  unwrittenBans: integer(0, Number.MAX_SAFE_INTEGER),
  openCeremonies: integer(0, Number.MAX_SAFE_INTEGER),
  fenced: boolean,
  claimsRefused: integer(0, Number.MAX_SAFE_INTEGER),
  refusedMessages: integer(0, Number.MAX_SAFE_INTEGER),
})

export type WatchedParties = PartyDirectory & {
  /** Resolves when most parties are up and can open their keys. @throws Unavailable */
  ready(): Promise<void>
  close(): void
}

/** Asks each party how it is, and from then on listens to their reports on `quorate.party.<partyId>.health`. */
export function watchParties(messages: Messages, ids: readonly string[]): WatchedParties {
  const heard = new Map<string, { at: number; health: PartyHealth | undefined }>()
  const hear = (partyId: string, payload: Uint8Array) => heard.set(partyId, { at: Date.now(), health: parseHealth(payload) })
  const unsubscribe = messages.subscribe('quorate.party.*.health', (payload, subject) => {
    const partyId = subject.split('.')[2] as string
    // Questions come on the same subject, and are empty.
    if (payload.length > 0 && ids.includes(partyId)) hear(partyId, payload)
  })
  for (const partyId of ids) {
    messages.request(`quorate.party.${partyId}.health`, new Uint8Array(), { timeoutMs: SILENT_AFTER_MS }).then(
      (payload) => hear(partyId, payload),
      () => {}, // It is heard of when it is there.
    )
  }
  const isUp = (partyId: string) => Date.now() - (heard.get(partyId)?.at ?? 0) < SILENT_AFTER_MS
  return {
    ids,
    isUp,
    health: (partyId) => heard.get(partyId)?.health,
    async ready() {
      const able = ids.filter((id) => isUp(id) && heard.get(id)?.health?.keysOpen)
      if (able.length <= ids.length / 2) throw new Unavailable('parties')
    },
    close: unsubscribe,
  }
}

/** Undefined for what a party of this version does not say: it lives all the same. */
function parseHealth(payload: Uint8Array): PartyHealth | undefined {
  try {
    return readHealth(JSON.parse(new TextDecoder().decode(payload)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Malformed) return undefined
    throw error
  }
}
