import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { RandomBytes } from '../protocol.ts'
import { draw, type KeySuite } from '../shared-key/key-suite.ts'

/** What tells one FROST ciphersuite from another (RFC 9591, section 6), and one signature format from another. */
export type Ciphersuite<P extends CurvePoint<bigint, P>> = KeySuite<P> & {
  /** H1, H3 and the hash of the proof of knowledge, onto scalars. */
  readonly hashToScalar: (purpose: 'rho' | 'nonce' | 'dkg', data: Uint8Array) => bigint
  /** H4 and H5. */
  readonly hash: (purpose: 'msg' | 'com', data: Uint8Array) => Uint8Array
  /** H2 over what the verifier of the final signature hashes. */
  readonly challenge: (R: P, publicKey: P, message: Uint8Array) => bigint
  readonly message: (payload: Uint8Array) => Uint8Array
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
}

/** nonce_generate of RFC 9591, section 4.1: a bad random source alone does not give the secret away. */
export function nonceScalar<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>, secret: Uint8Array, rng: RandomBytes): bigint {
  const random = draw(rng, 32)
  const input = concatBytes(random, secret)
  const scalar = suite.hashToScalar('nonce', input)
  random.fill(0)
  input.fill(0)
  return scalar
}
