import { createHash, randomUUID } from 'node:crypto'
import { CompactSign, importJWK } from 'jose'
import type { DevelopmentClient } from '../supervisor/development-client.ts'

const TTL_SECONDS = 120

/** The `Quorate-Intent` header: a compact JWS by the client's own key over method, path and body bytes. */
export async function signIntent(client: DevelopmentClient, method: string, path: string, body: Uint8Array): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    jti: randomUUID(),
    iat: now,
    exp: now + TTL_SECONDS,
    htm: method,
    htu: path,
    bodyDigest: createHash('sha256').update(body).digest('base64url'),
  }
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ typ: 'intent+jwt', alg: 'EdDSA', kid: client.kid })
    .sign(await importJWK(client.privateJwk, 'EdDSA'))
}
