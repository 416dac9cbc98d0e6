import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { KeyPolicy } from '../authorisation/key-policy.ts'
import { DomainError } from '../domain-error.ts'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import { InvalidDerivationPath, parsePath } from '../threshold/derivation-path.ts'
import type { ThresholdProtocol } from '../threshold/protocol.ts'
import type { Scheme } from '../threshold/scheme.ts'

/** What a client wants signed. The bytes that the scheme then signs follow from it, and from nothing else. */
export type Payload = { kind: 'message' | 'eip191'; encoding: 'utf8' | 'hex'; data: string } | { kind: 'digest'; data: string }

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
 * What the scheme signs for this payload: a message as the scheme itself treats it, or as Ethereum's wallets do.
 * @throws DomainError `raw_digest_not_allowed`, `payload_not_supported`
 */
export function messageToSign(
  payload: Payload,
  policy: Pick<KeyPolicy, 'rawDigests'>,
  { scheme, message }: Pick<ThresholdProtocol, 'scheme' | 'message'>,
): Uint8Array {
  if (payload.kind === 'message') return message(bytesOf(payload))
  if (payload.kind === 'eip191') {
    if (scheme !== ECDSA) throw new DomainError('payload_not_supported', `eip191 needs a key of ${ECDSA}`, '/payload/kind')
    return personalMessageDigest(bytesOf(payload))
  }
  if (!policy.rawDigests)
    throw new DomainError('raw_digest_not_allowed', "the wallet's policy does not allow bare digests to be signed", '/payload/kind')
  return hexToBytes(payload.data)
}

const ECDSA: Scheme = 'dkls23-secp256k1'

const bytesOf = ({ encoding, data }: { encoding: 'utf8' | 'hex'; data: string }): Uint8Array =>
  encoding === 'hex' ? hexToBytes(data) : utf8ToBytes(data)

/** EIP-191, version 0x45: what `personal_sign` signs. */
const personalMessageDigest = (message: Uint8Array): Uint8Array =>
  keccak_256(concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${message.length}`), message))

function readPayload(value: unknown): Payload {
  const { kind, encoding, data } = readFields(value, ['kind'], ['encoding', 'data', 'typedData'])
  if (kind === 'eip712') throw new DomainError('payload_not_supported', 'typed data is not signed yet', '/payload/kind')
  if (typeof data !== 'string' || data.length > MAX_DATA_CHARACTERS) throw new MalformedJson('data is not what can be signed')
  if (kind === 'digest') {
    readFields(value, ['kind', 'data'])
    if (!DIGEST.test(data)) throw new MalformedJson('a digest is 64 hexadecimal digits')
    return { kind, data: data.toLowerCase() }
  }
  readFields(value, ['kind', 'encoding', 'data'])
  if ((kind !== 'message' && kind !== 'eip191') || (encoding !== 'utf8' && encoding !== 'hex'))
    throw new MalformedJson('a message is in utf8 or hex')
  if (encoding === 'hex' ? !HEX.test(data) : /\p{Surrogate}/u.test(data)) throw new MalformedJson(`data is not ${encoding}`)
  return { kind, encoding, data }
}

function readPath(value: unknown): string {
  if (typeof value !== 'string') throw new MalformedJson('path must be text')
  try {
    parsePath(value)
  } catch (error) {
    if (!(error instanceof InvalidDerivationPath)) throw error
    throw new DomainError('path_invalid', error.message, '/path')
  }
  return value
}
