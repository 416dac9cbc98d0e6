import { type PartyEvent, partyStream } from '../../../domain/party/events.ts'
import type { ClosureOrder } from '../../../domain/ports/coordinators.ts'
import type { EventLog } from '../../../domain/ports/event-log.ts'

const ORDER: PartyEvent['type'] = 'CircuitForceClosed'
/** An order that is older was for who was there then. */
const GOOD_FOR_MS = 30_000

/**
 * Closes a circuit at an operator's order. The order is an event: whoever brings word of it is believed in no more than where it stands in the log, and each
 * is carried out once.
 */
export function obeyOrders(
  log: Pick<EventLog, 'readStream'>,
  forceClose: (partyId: string) => void,
): (order: ClosureOrder) => Promise<void> {
  const obeyed = new Map<string, bigint>()
  return async ({ partyId, revision }) => {
    for await (const event of log.readStream(partyStream(partyId), { from: revision, limit: 1 })) {
      const isNew = revision > (obeyed.get(partyId) ?? -1n) && Date.now() - Date.parse(event.recordedAt) < GOOD_FOR_MS
      if (!isNew || event.revision !== revision || event.type !== ORDER) return
      obeyed.set(partyId, revision)
      forceClose(partyId)
    }
  }
}
