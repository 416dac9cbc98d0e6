import { randomUUID } from 'node:crypto'
import type { EventLog } from '../domain/ports/event-log.ts'
import { KEY_ANNOUNCED, listedKeys, type PublicSigningKey, WEBHOOK_KEYS_STREAM } from '../domain/webhook/signing-keys.ts'

const ACTOR = 'webhooks'
const SCHEMA_VERSION = 1

/** Has receivers told of the keys, the newest last, before anything is signed with them. To be repeated at will. @throws Unavailable */
export async function announceKeys(
  log: Pick<EventLog, 'append' | 'readStream'>,
  keys: readonly PublicSigningKey[],
  tenant: string,
): Promise<void> {
  const events = []
  for await (const event of log.readStream(WEBHOOK_KEYS_STREAM)) events.push(event)
  const listed = new Set(listedKeys(events).map(({ kid }) => kid))
  for (const key of keys.filter(({ kid }) => !listed.has(kid))) {
    const id = randomUUID()
    const occurredAt = new Date().toISOString()
    const metadata = { commandId: id, correlationId: id, causationId: id, actor: ACTOR, tenant, occurredAt, schemaVersion: SCHEMA_VERSION }
    await log.append(WEBHOOK_KEYS_STREAM, 'any', [{ id, type: KEY_ANNOUNCED, data: key, metadata }])
  }
}
