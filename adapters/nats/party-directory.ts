import { Unavailable } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'

/** Parties say that they live every second; one that has missed three is taken to be down. */
const SILENT_AFTER_MS = 3_500

export type WatchedParties = {
  readonly ids: readonly string[]
  /** Whether the party has been heard of lately. */
  isUp(partyId: string): boolean
  /** Resolves when any party is up. @throws Unavailable */
  ready(): Promise<void>
  close(): void
}

/** Listens to the health reports of the parties on `quorate.party.<partyId>.health`. */
export function watchParties(messages: Messages, ids: readonly string[]): WatchedParties {
  const heardAt = new Map<string, number>()
  const unsubscribe = messages.subscribe('quorate.party.*.health', (_, subject) => {
    const partyId = subject.split('.')[2] as string
    if (ids.includes(partyId)) heardAt.set(partyId, Date.now())
  })
  const isUp = (partyId: string) => Date.now() - (heardAt.get(partyId) ?? 0) < SILENT_AFTER_MS
  return {
    ids,
    isUp,
    async ready() {
      if (!ids.some(isUp)) throw new Unavailable('parties')
    },
    close: unsubscribe,
  }
}
