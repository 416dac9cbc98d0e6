import { ACCOUNT_STREAMS, type AccountEvent } from '../domain/account/events.ts'
import { KEY_SHARE_STREAMS, type KeyShareEvent } from '../domain/key-share/events.ts'
import type { GuardedWrite, IndexSpec } from '../domain/ports/documents.ts'
import type { RecordedEvent } from '../domain/ports/event-log.ts'
import { SIGNING_SESSION_STREAMS, type SigningSessionEvent } from '../domain/signing-session/events.ts'
import { WALLET_STREAMS, type WalletEvent } from '../domain/wallet/events.ts'
import { WEBHOOK_STREAMS, type WebhookEvent } from '../domain/webhook/events.ts'

/** Streams that read models are made of. */
export const DOMAIN_STREAMS = [WALLET_STREAMS, ACCOUNT_STREAMS, KEY_SHARE_STREAMS, SIGNING_SESSION_STREAMS, WEBHOOK_STREAMS]

/** An event of the domain as it was recorded. */
export type RecordedDomainEvent = Omit<RecordedEvent, 'type' | 'data'> &
  (WalletEvent | AccountEvent | KeyShareEvent | SigningSessionEvent | WebhookEvent)

/** A read model: what each event makes of its documents. `apply` is pure; a new `version` is built from the log anew. */
export type Projection = {
  name: string
  version: number
  collections: readonly string[]
  indexes: readonly IndexSpec[]
  /** Its documents are made of events of several streams each, so that those of a stream which was held for a while cannot be added later. */
  acrossStreams: boolean
  apply(event: RecordedDomainEvent): readonly GuardedWrite[]
}

/** What every document of an aggregate says about its last event. */
export function touched(event: RecordedDomainEvent): { revision: number; updatedAt: string } {
  return { revision: Number(event.revision), updatedAt: event.metadata.occurredAt }
}
