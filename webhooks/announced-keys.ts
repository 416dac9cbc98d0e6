import { randomUUID } from 'node:crypto'
import type { EventLog } from '../domain/ports/event-log.ts'
import { KEY_ANNOUNCED, KEY_WITHDRAWN, listedKeys, type PublicSigningKey, WEBHOOK_KEYS_STREAM } from '../domain/webhook/signing-keys.ts'

const ACTOR = 'webhooks'
const SCHEMA_VERSION = 1

/** Has receivers told of the keys, the newest last, before anything is signed with them. To be repeated at will. @throws Unavailable */
export async function announceKeys(
  log: Pick<EventLog, 'append' | 'readStream'>,
  keys: readonly PublicSigningKey[],
  tenant: string,
): Promise<void> {
  const listed = new Set((await listedNow(log)).map(({ kid }) => kid))
  for (const key of keys.filter(({ kid }) => !listed.has(kid))) await say(log, KEY_ANNOUNCED, key, tenant)
}

/** Receivers are told to take no signature of the key any more. @throws when it is not listed, Unavailable */
export async function withdrawKey(log: Pick<EventLog, 'append' | 'readStream'>, kid: string, tenant: string): Promise<void> {
  const key = (await listedNow(log)).find((listed) => listed.kid === kid)
  if (!key) throw new Error(`${kid} is not listed`)
  await say(log, KEY_WITHDRAWN, key, tenant)
}

async function listedNow(log: Pick<EventLog, 'readStream'>): Promise<readonly PublicSigningKey[]> {
  const events = []
  for await (const event of log.readStream(WEBHOOK_KEYS_STREAM)) events.push(event)
  return listedKeys(events)
}

async function say(log: Pick<EventLog, 'append'>, type: string, key: PublicSigningKey, tenant: string): Promise<void> {
  const id = randomUUID()
  const occurredAt = new Date().toISOString()
  const metadata = { commandId: id, correlationId: id, causationId: id, actor: ACTOR, tenant, occurredAt, schemaVersion: SCHEMA_VERSION }
  await log.append(WEBHOOK_KEYS_STREAM, 'any', [{ id, type, data: key, metadata }])
}
