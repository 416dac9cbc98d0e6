import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { MalformedJson, readFields } from '../json/strict-json.ts'
import { base64urlToBytes } from './base64url.ts'

/** A public key of a client or an approver, as a JWK (RFC 7517) with a `kid`: what parties act on is signed with it. */
export type ClientKey = { kid: string; kty: 'OKP' | 'EC'; crv: 'Ed25519' | 'P-256'; x: string; y?: string }

export const MAX_KID_CHARACTERS = 200
/** Members of a JWK that say nothing about which key it is. */
const IGNORED = ['alg', 'use', 'key_ops', 'ext']
const COORDINATE_BYTES = 32

/** A point of the curve, in its one spelling (RFC 7518, section 6; RFC 8037), under which nobody can sign without the private key. */
export function isPublicKey({ kty, crv, x, y }: ClientKey): boolean {
  try {
    if (kty === 'OKP' && crv === 'Ed25519') return y === undefined && !ed25519.Point.fromBytes(coordinate(x)).isSmallOrder()
    if (kty !== 'EC' || crv !== 'P-256' || y === undefined) return false
    p256.Point.fromBytes(Uint8Array.of(4, ...coordinate(x), ...coordinate(y)))
    return true
  } catch {
    return false
  }
}

/** The key that a client has sent as a JWK. @throws MalformedJson for whatever is not the public key of one of the two curves */
export function readClientKey(value: unknown): ClientKey {
  const { kid, kty, crv, x, y } = readFields(value, ['kid', 'kty', 'crv', 'x'], ['y', ...IGNORED])
  if (typeof kid !== 'string' || kid.length < 1 || kid.length > MAX_KID_CHARACTERS) throw new MalformedJson('kid is no name for a key')
  const key = { kid, kty, crv, x, ...(y === undefined ? {} : { y }) } as ClientKey
  if (!isPublicKey(key)) throw new MalformedJson('not a public key on Ed25519 or P-256')
  return key
}

function coordinate(text: unknown): Uint8Array {
  const bytes = typeof text === 'string' ? base64urlToBytes(text) : undefined
  if (bytes?.length !== COORDINATE_BYTES) throw new RangeError('not 32 bytes of base64url')
  return bytes
}
