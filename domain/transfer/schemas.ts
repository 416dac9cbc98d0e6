import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, text } from '../upcasting/shape.ts'
import type { TransferAssignmentEvent } from './events.ts'

/** What the events of these streams hold, through their versions. */
export const transferAssignmentSchemas: EventSchemas<TransferAssignmentEvent> = {
  TransferAssigned: { shape: fields({ transferId: text, walletId: text, tenant: text }) },
}
