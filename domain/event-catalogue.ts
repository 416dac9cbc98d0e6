import { ACCOUNT_STREAMS } from './account/events.ts'
import { accountSchemas } from './account/schemas.ts'
import { KEY_SHARE_STREAMS } from './key-share/events.ts'
import { keyShareSchemas } from './key-share/schemas.ts'
import { PARTY_STREAMS, partySchemas } from './party/events.ts'
import type { RecordedEvent } from './ports/event-log.ts'
import { SCAVENGE_STREAMS, scavengeSchemas } from './scavenge/events.ts'
import { SIGNING_SESSION_STREAMS } from './signing-session/events.ts'
import { signingSessionSchemas } from './signing-session/schemas.ts'
import { TRANSFER_STREAMS } from './transfer/events.ts'
import { transferAssignmentSchemas } from './transfer/schemas.ts'
import { currentVersion, type EventSchemas, upcast } from './upcasting/event-schema.ts'
import { WALLET_STREAMS } from './wallet/events.ts'
import { walletSchemas } from './wallet/schemas.ts'
import { WEBHOOK_STREAMS } from './webhook/events.ts'
import { webhookSchemas } from './webhook/schemas.ts'

/** Every type of event of the domain, by the streams it is written to. */
export const CATALOGUE: readonly { streams: string; schemas: EventSchemas }[] = [
  { streams: WALLET_STREAMS, schemas: walletSchemas },
  { streams: ACCOUNT_STREAMS, schemas: accountSchemas },
  { streams: KEY_SHARE_STREAMS, schemas: keyShareSchemas },
  { streams: SIGNING_SESSION_STREAMS, schemas: signingSessionSchemas },
  { streams: PARTY_STREAMS, schemas: partySchemas },
  { streams: TRANSFER_STREAMS, schemas: transferAssignmentSchemas },
  { streams: WEBHOOK_STREAMS, schemas: webhookSchemas },
  { streams: SCAVENGE_STREAMS, schemas: scavengeSchemas },
]

/** The event as the code knows it; an event of a stream that is not of the domain as it is. @throws EventUnreadable */
export function currentEvent(event: RecordedEvent): RecordedEvent {
  const schemas = schemasOf(event.stream)
  return schemas ? upcast(schemas, event) : event
}

/** The version in which events of this type are written to this stream. */
export function versionToWrite(stream: string, type: string): number {
  const schema = schemasOf(stream)?.[type]
  return schema ? currentVersion(schema) : 1
}

function schemasOf(stream: string): EventSchemas | undefined {
  for (const { streams, schemas } of CATALOGUE) if (stream.startsWith(streams)) return schemas
  return undefined
}
