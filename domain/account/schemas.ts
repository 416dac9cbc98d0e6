import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, text } from '../upcasting/shape.ts'
import type { AccountEvent } from './events.ts'

/** What the events of an account hold, through their versions. */
export const accountSchemas: EventSchemas<AccountEvent> = {
  AccountOpened: {
    shape: fields({
      accountId: text,
      walletId: text,
      tenant: text,
      keyId: text,
      scheme: text,
      chain: text,
      path: text,
      publicKey: text,
      address: text,
    }),
  },
}
