import type { RecordedEvent } from '../ports/event-log.ts'

/** The stream that says which keys webhooks are signed with: beside the events of the domain, and none of them. */
export const WEBHOOK_KEYS_STREAM = 'webhookKeys'
export const KEY_ANNOUNCED = 'WebhookKeyAnnounced'
export const KEY_WITHDRAWN = 'WebhookKeyWithdrawn'

/** A public Ed25519 key as a JWK (RFC 8037); `kid` is its thumbprint (RFC 7638). */
export type PublicSigningKey = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; use: 'sig'; alg: 'EdDSA' }

/** Keys that signatures may be of, the newest first: those that were announced and not withdrawn since. */
export function listedKeys(events: readonly Pick<RecordedEvent, 'type' | 'data'>[]): readonly PublicSigningKey[] {
  const listed = new Map<string, PublicSigningKey>()
  for (const { type, data } of events) {
    const key = data as PublicSigningKey
    listed.delete(key.kid)
    if (type === KEY_ANNOUNCED) listed.set(key.kid, key)
  }
  return [...listed.values()].reverse()
}
