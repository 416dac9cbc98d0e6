import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { parseStrictJson, readFields } from '../json/strict-json.ts'
import type { Authorisation } from '../key-share/events.ts'
import { base64urlToBytes, bytesToBase64url } from './base64url.ts'
import type { ClientKey } from './client-key.ts'
import { AuthorisationRefused } from './refused.ts'

/** Whether a signature as in a JWS (EdDSA, RFC 8037; ES256, RFC 7518) holds under the key. Never throws: whatever is malformed does not. */
export type VerifyJws = (key: ClientKey, signingInput: Uint8Array, signature: Uint8Array) => boolean

/** An intent that holds. `iat` and `exp` are in seconds since the epoch. */
export type Intent = { kid: string; jti: string; iat: number; exp: number }

export type IntentRules = {
  /** Whose intents count. */
  keys: readonly ClientKey[]
  verify: VerifyJws
  /** Milliseconds since the epoch. */
  now: number
  /** Where what is asked for may be done late: how old the intent may be, in seconds, whether its window has closed or not. */
  maxAgeSeconds?: number
}

/** Longest window, in seconds, between `iat` and `exp`. */
export const MAX_WINDOW_SECONDS = 300
/** How far clocks may be apart: how much too early an intent may be made, and how much too late it may come, in seconds. */
const EARLY_SECONDS = 30
export const LATE_SECONDS = 5
export const MAX_INTENT_CHARACTERS = 8 * 1024
const SIGNATURE_BYTES = 64
const JTI = /^[A-Za-z0-9._-]{1,64}$/
const ALGORITHMS = { Ed25519: 'EdDSA', 'P-256': 'ES256' } as const

type Claims = { jti: string; iat: number; exp: number; htm: string; htu: string; bodyDigest: string }

/** Names an intent for as long as keys do: the key, and what it has numbered it. */
export const intentId = ({ kid, jti }: Intent): string => `${kid}/${jti}`

/**
 * Verifies that one of the keys has signed this very request: a compact JWS (RFC 7515) of type `intent+jwt` over its method, path and body, inside the window
 * that it names. The key decides on the algorithm; the header may only agree.
 * @throws AuthorisationRefused `intent_…`
 */
export function verifyIntent({ method, path, body, intent }: Authorisation, rules: IntentRules): Intent {
  const { header, payload, signature, signingInput } = split(intent)
  const { typ, alg, kid } = readHeader(header)
  const key = rules.keys.find((each) => each.kid === kid)
  if (!key) throw new AuthorisationRefused('intent_unknown_key', 'the intent names a key that may not ask for this')
  if (typ !== 'intent+jwt' || alg !== ALGORITHMS[key.crv]) throw malformed()
  if (signature.length !== SIGNATURE_BYTES || !rules.verify(key, signingInput, signature))
    throw new AuthorisationRefused('intent_signature_invalid', "the intent's signature does not hold under its key")
  const { jti, iat, exp, htm, htu, bodyDigest } = readClaims(payload)
  if (htm !== method) throw new AuthorisationRefused('intent_method_mismatch', 'the intent is for another method')
  if (htu !== path) throw new AuthorisationRefused('intent_path_mismatch', 'the intent is for another path')
  if (bodyDigest !== bytesToBase64url(sha256(utf8ToBytes(body))))
    throw new AuthorisationRefused('intent_body_mismatch', 'the intent is for another body')
  const found = { kid: key.kid, jti, iat, exp }
  requireTimely(found, rules)
  return found
}

/** What an intent says of itself: nobody has looked at who has signed it, or for what. @throws AuthorisationRefused `intent_missing`, `intent_malformed` */
export function readIntent({ intent }: Pick<Authorisation, 'intent'>): Intent {
  const { header, payload } = split(intent)
  const { kid } = readHeader(header)
  const { jti, iat, exp } = readClaims(payload)
  if (typeof kid !== 'string') throw malformed()
  return { kid, jti, iat, exp }
}

/** Whether an intent's own window is still open, give or take what clocks may be apart. `now` is in milliseconds. */
export const isOpen = ({ exp }: Intent, now: number): boolean => now / 1000 < exp + LATE_SECONDS

function requireTimely(intent: Intent, { now, maxAgeSeconds }: IntentRules): void {
  const { iat, exp } = intent
  const seconds = now / 1000
  if (exp <= iat || exp - iat > MAX_WINDOW_SECONDS)
    throw new AuthorisationRefused('intent_window_too_long', `exp must be 1 to ${MAX_WINDOW_SECONDS} seconds after iat`)
  if (iat > seconds + EARLY_SECONDS) throw new AuthorisationRefused('intent_not_yet_valid', 'the intent was made in the future')
  if (maxAgeSeconds === undefined ? !isOpen(intent, now) : seconds > iat + maxAgeSeconds + LATE_SECONDS)
    throw new AuthorisationRefused('intent_expired', 'the intent has expired')
}

function split(intent: string | null): { header: Uint8Array; payload: Uint8Array; signature: Uint8Array; signingInput: Uint8Array } {
  if (intent === null) throw new AuthorisationRefused('intent_missing', 'the request carries no intent')
  const parts = intent.length <= MAX_INTENT_CHARACTERS ? intent.split('.', 4) : []
  const [header, payload, signature] = parts.map(base64urlToBytes)
  if (parts.length !== 3 || !header || !payload || !signature) throw malformed()
  return { header, payload, signature, signingInput: utf8ToBytes(intent.slice(0, intent.lastIndexOf('.'))) }
}

function readHeader(bytes: Uint8Array): { typ: unknown; alg: unknown; kid: unknown } {
  const { typ, alg, kid } = readObject(bytes, ['typ', 'alg', 'kid'])
  return { typ, alg, kid }
}

function readClaims(bytes: Uint8Array): Claims {
  const claims = readObject(bytes, ['jti', 'iat', 'exp', 'htm', 'htu', 'bodyDigest']) as Claims
  const { jti, iat, exp, htm, htu, bodyDigest } = claims
  const isWhole =
    typeof jti === 'string' &&
    JTI.test(jti) &&
    [iat, exp].every((seconds) => Number.isSafeInteger(seconds) && seconds >= 0) &&
    [htm, htu, bodyDigest].every((text) => typeof text === 'string')
  if (!isWhole) throw malformed()
  return claims
}

function readObject(bytes: Uint8Array, names: readonly string[]): { readonly [name: string]: unknown } {
  try {
    return readFields(parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)), names)
  } catch {
    throw malformed()
  }
}

const malformed = () =>
  new AuthorisationRefused('intent_malformed', 'the intent is not a compact JWS with the header and claims of an intent, and no others')
