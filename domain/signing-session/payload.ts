import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { KeyPolicy } from '../authorisation/key-policy.ts'
import { DomainError } from '../domain-error.ts'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import { InvalidDerivationPath, parsePath } from '../threshold/derivation-path.ts'

/** What a client wants signed. The bytes that the scheme then signs follow from it, and from nothing else. */
export type Payload = { kind: 'message'; encoding: 'utf8' | 'hex'; data: string } | { kind: 'digest'; data: string }

/** `path` is the derivation path of the key that is to sign; `m` is the key itself. */
export type WantedSignature = { payload: Payload; path: string }

export const MAX_DATA_CHARACTERS = 128 * 1024
const HEX = /^([0-9a-f]{2})*$/i
const DIGEST = /^[0-9a-f]{64}$/i

/**
 * What the body of `POST /v1/keys/:keyId/signatures` asks for. API and parties read it by this function alone, so that what the one shows is what the others
 * sign.
 * @throws MalformedJson, DomainError `payload_not_supported`, `path_invalid`
 */
export function readWantedSignature(body: string): WantedSignature {
  const { payload, path = 'm' } = readFields(parseStrictJson(body), ['payload'], ['path', 'priority'])
  return { payload: readPayload(payload), path: readPath(path) }
}

/**
 * What the scheme signs for this payload; `hash` is the scheme's own treatment of a message.
 * @throws DomainError `raw_digest_not_allowed`
 */
export function messageToSign(
  payload: Payload,
  policy: Pick<KeyPolicy, 'rawDigests'>,
  hash: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  if (payload.kind === 'message') return hash(payload.encoding === 'hex' ? hexToBytes(payload.data) : utf8ToBytes(payload.data))
  if (!policy.rawDigests)
    throw new DomainError('raw_digest_not_allowed', "the wallet's policy does not allow bare digests to be signed", '/payload/kind')
  return hexToBytes(payload.data)
}

function readPayload(value: unknown): Payload {
  const { kind, encoding, data } = readFields(value, ['kind'], ['encoding', 'data', 'typedData'])
  if (kind === 'eip191' || kind === 'eip712') throw new DomainError('payload_not_supported', `${kind} needs an ECDSA key`, '/payload/kind')
  if (typeof data !== 'string' || data.length > MAX_DATA_CHARACTERS) throw new MalformedJson('data is not what can be signed')
  if (kind === 'digest') {
    readFields(value, ['kind', 'data'])
    if (!DIGEST.test(data)) throw new MalformedJson('a digest is 64 hexadecimal digits')
    return { kind, data: data.toLowerCase() }
  }
  readFields(value, ['kind', 'encoding', 'data'])
  if (kind !== 'message' || (encoding !== 'utf8' && encoding !== 'hex')) throw new MalformedJson('a message is in utf8 or hex')
  if (encoding === 'hex' ? !HEX.test(data) : /\p{Surrogate}/u.test(data)) throw new MalformedJson(`data is not ${encoding}`)
  return { kind, encoding, data }
}

/** A derivation path in a request. @throws MalformedJson, DomainError `path_invalid` */
export function readPath(value: unknown): string {
  if (typeof value !== 'string') throw new MalformedJson('path must be text')
  try {
    parsePath(value)
  } catch (error) {
    if (!(error instanceof InvalidDerivationPath)) throw error
    throw new DomainError('path_invalid', error.message, '/path')
  }
  return value
}
