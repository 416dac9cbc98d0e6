import type { JsonObject } from '../ports/event-log.ts'
import type { Payload, TransactionPayload } from './payload.ts'

/** The payload for a document: typed data as text, as the names in them are the client's choice, and stores of documents take some for their own. */
export function payloadToStore(payload: Payload | TransactionPayload): JsonObject {
  return payload.kind === 'eip712' ? { ...payload, typedData: JSON.stringify(payload.typedData) } : payload
}

/** The payload out of a document, as it was requested. */
export function storedPayload(payload: JsonObject): JsonObject {
  return typeof payload.typedData === 'string' ? { ...payload, typedData: JSON.parse(payload.typedData) } : payload
}
