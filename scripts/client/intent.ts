import { createHash, randomUUID } from 'node:crypto'
import { CompactSign, importJWK, type JWK } from 'jose'

const TTL_SECONDS = 120

/** Whoever signs: a client, or an approver. The key is an Ed25519 one. */
export type IntentSigner = { kid: string; privateJwk: JWK }

/** The `Quorate-Intent` header, or one of `Quorate-Approvals`: a compact JWS by the signer's own key over method, path and body bytes. */
export async function signIntent(signer: IntentSigner, method: string, path: string, body: Uint8Array): Promise<string> {
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
    .setProtectedHeader({ typ: 'intent+jwt', alg: 'EdDSA', kid: signer.kid })
    .sign(await importJWK(signer.privateJwk, 'EdDSA'))
}
