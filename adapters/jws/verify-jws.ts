import { createPublicKey, verify } from 'node:crypto'
import type { VerifyJws } from '../../domain/authorisation/intent.ts'

/** Verifies with OpenSSL, in a tenth of a millisecond. ES256 signatures are r‖s (RFC 7518, section 3.4). */
export const verifyJws: VerifyJws = ({ kty, crv, x, y }, signingInput, signature) => {
  try {
    const jwk = { kty, crv, x, ...(y === undefined ? {} : { y }) }
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    if (crv === 'Ed25519') return verify(null, signingInput, key, signature)
    return verify('sha256', signingInput, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}
