import type { RefusalCode } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { PartyIndex, ProtocolAbort, ProtocolAbortCode } from '../domain/threshold/protocol.ts'

/** What whoever leads the ceremony has to act on, and is told by a code of its own. */
const OWN_CODES: Partial<Record<ProtocolAbortCode, RefusalCode>> = {
  invalid_multiplication: 'invalid_multiplication',
  setup_missing: 'setup_missing',
}

/** What a party answers when a protocol is aborted, with ids for the protocol's numbers. */
export function refusalOfAbort({ code, message, culprits }: ProtocolAbort, idOf: (number: PartyIndex) => string): Refusal {
  return new Refusal(OWN_CODES[code] ?? 'protocol_abort', `${code}: ${message}`, culprits.map(idOf))
}
