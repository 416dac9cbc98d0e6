import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { ClientKey } from '../../domain/authorisation/client-key.ts'
import type { VerifyJws } from '../../domain/authorisation/intent.ts'

type PublicKey = Pick<ClientKey, 'kty' | 'crv' | 'x' | 'y'>

/** Those used last are at the end. */
const imported = new Map<string, KeyObject>()
const MAX_IMPORTED = 4_096

/** Verifies with OpenSSL, in a tenth of a millisecond. ES256 signatures are r‖s (RFC 7518, section 3.4). */
export const verifyJws: VerifyJws = (publicKey, signingInput, signature) => {
  try {
    const { crv } = publicKey
    const key = keyOf(publicKey)
    if (crv === 'Ed25519') return verify(null, signingInput, key, signature)
    return verify('sha256', signingInput, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}

/** To import a key takes almost as long as to verify with it. Throws when it is none. */
function keyOf({ kty, crv, x, y }: PublicKey): KeyObject {
  const name = JSON.stringify([kty, crv, x, y])
  const key = imported.get(name) ?? createPublicKey({ key: { kty, crv, x, ...(y === undefined ? {} : { y }) }, format: 'jwk' })
  imported.delete(name)
  imported.set(name, key)
  if (imported.size > MAX_IMPORTED) imported.delete(imported.keys().next().value!)
  return key
}
