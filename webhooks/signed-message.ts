/** Messages as the Standard Webhooks specification has them signed (standardwebhooks.com, asymmetric signatures). */
import type { Identity } from '../domain/ports/identity.ts'

/** Signs `id.timestamp.body` by every key, so that a receiver who knows but one of them can tell. */
export type SignMessage = (id: string, body: string, at: Date) => Promise<{ readonly [header: string]: string }>

const encoder = new TextEncoder()

/** Headers of a message; the timestamp is in seconds, of this attempt. */
export function messageSigner(keys: readonly Pick<Identity, 'sign'>[]): SignMessage {
  return async (id, body, at) => {
    const timestamp = Math.floor(at.getTime() / 1000)
    const content = encoder.encode(`${id}.${timestamp}.${body}`)
    const signatures = await Promise.all(keys.map((key) => key.sign(content)))
    return {
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatures.map((signature) => `v1a,${Buffer.from(signature).toString('base64')}`).join(' '),
    }
  }
}
