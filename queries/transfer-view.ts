import type { Document } from '../domain/ports/documents.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'

/** A transfer with the sessions of all its transactions, and with no confirmations where it has none. */
export function withSessions(transfer: Document): Document {
  const transactions = (transfer.transactions ?? []) as unknown as readonly JsonObject[]
  const sessionIds = transactions.flatMap(({ sessionIds: ids }) => (ids ?? []) as readonly string[])
  return { ...transfer, sessionIds, confirmations: transfer.confirmations ?? 0 }
}
