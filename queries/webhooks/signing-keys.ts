import type { EventLog } from '../../domain/ports/event-log.ts'
import { listedKeys, type PublicSigningKey, WEBHOOK_KEYS_STREAM } from '../../domain/webhook/signing-keys.ts'

/** A JWK Set (RFC 7517). */
export type PublicKeys = () => Promise<{ keys: readonly PublicSigningKey[] }>

/** Anybody may ask: the log is asked no more often than this. */
const FRESH_MS = 1_000

/** The keys that webhooks are signed with, the newest first. @throws Unavailable */
export function webhookSigningKeys(log: Pick<EventLog, 'readStream'>): PublicKeys {
  let last: { at: number; keys: Promise<readonly PublicSigningKey[]> } | undefined
  const read = async () => {
    const events = []
    for await (const event of log.readStream(WEBHOOK_KEYS_STREAM)) events.push(event)
    return listedKeys(events)
  }
  return async () => {
    if (!last || Date.now() - last.at > FRESH_MS) last = { at: Date.now(), keys: read() }
    return { keys: await last.keys }
  }
}
