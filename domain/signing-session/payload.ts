import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { KeyPolicy } from '../authorisation/key-policy.ts'
import { DomainError } from '../domain-error.ts'
import { personalMessageDigest } from '../ethereum/personal-message.ts'
import { purposeOf, typedDataDigest } from '../ethereum/typed-data.ts'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import { allowsTypedData } from '../policy/typed-data.ts'
import { InvalidDerivationPath, parsePath } from '../threshold/derivation-path.ts'
import type { ThresholdProtocol } from '../threshold/protocol.ts'
import { isEcdsa } from '../threshold/scheme.ts'
import { hidesTransaction } from './hidden-transaction.ts'

/** What a client wants signed. The bytes that the scheme then signs follow from it, and from nothing else. */
export type Payload = MessagePayload | { kind: 'digest'; data: string } | TypedDataPayload

/** `eip191` is a message in the form in which Ethereum wallets sign it. */
export type MessagePayload = { kind: 'message' | 'eip191'; encoding: 'utf8' | 'hex'; data: string }

/** Typed data as the client has sent them: whether they are any turns out when they are hashed. */
export type TypedDataPayload = { kind: 'eip712'; typedData: unknown }

/**
 * Message `index` of those that a transfer's transaction is signed with; `unsigned` is the transaction in base64. No client asks for this by itself: parties sign it
 * upon the request of the transfer, having read what it does.
 */
export type TransactionPayload = { kind: 'transaction'; chain: string; transferId: string; unsigned: string; index: number }

/** `path` is the derivation path of the key that is to sign; `m` is the key itself. */
export type WantedSignature = { payload: Payload; path: string }

export const MAX_DATA_CHARACTERS = 128 * 1024
const MAX_BODY_CHARACTERS = 256 * 1024
const HEX = /^([0-9a-f]{2})*$/i
const DIGEST = /^[0-9a-f]{64}$/i

/**
 * What the body of `POST /v1/keys/:keyId/signatures` asks for. API and parties read it by this function alone, so that what the one shows is what the others
 * sign.
 * @throws MalformedJson, DomainError `path_invalid`
 */
export function readWantedSignature(body: string): WantedSignature {
  if (body.length > MAX_BODY_CHARACTERS) throw new MalformedJson('the body is too long')
  const { payload, path = 'm' } = readFields(parseStrictJson(body), ['payload'], ['path', 'priority'])
  return { payload: readPayload(payload), path: readPath(path) }
}

/**
 * What the scheme signs for this payload. What Ethereum has people sign needs a key of an Ethereum account; neither is a bare digest, as the body says what
 * it is of. A message that a transaction may hide behind is as good as one, and so are typed data that contracts may move tokens upon.
 * @throws DomainError `raw_digest_not_allowed`, `message_hides_transaction`, `payload_not_supported`, `typed_data_invalid`, `typed_data_not_allowed`
 */
export function messageToSign(
  payload: Payload,
  policy: Pick<KeyPolicy, 'rawDigests' | 'transfers'>,
  protocol: Pick<ThresholdProtocol, 'scheme' | 'message'>,
): Uint8Array {
  switch (payload.kind) {
    case 'message': {
      const message = bytesOf(payload)
      if (!policy.rawDigests && hidesTransaction(message, protocol.scheme))
        throw new DomainError('message_hides_transaction', 'what is signed for this message could be a transaction', '/payload/data')
      return protocol.message(message)
    }
    case 'digest':
      if (!policy.rawDigests)
        throw new DomainError('raw_digest_not_allowed', "the wallet's policy does not allow bare digests to be signed", '/payload/kind')
      return hexToBytes(payload.data)
    case 'eip191':
      requireEcdsa(payload, protocol)
      return personalMessageDigest(bytesOf(payload))
    case 'eip712':
      requireEcdsa(payload, protocol)
      return allowedTypedData(payload.typedData, policy)
  }
}

function allowedTypedData(typedData: unknown, { rawDigests, transfers }: Pick<KeyPolicy, 'rawDigests' | 'transfers'>): Uint8Array {
  const digest = typedDataDigest(typedData, '/payload/typedData')
  const purpose = purposeOf(typedData)
  if (rawDigests || allowsTypedData(transfers, purpose)) return digest
  const { primaryType, contract } = purpose
  throw new DomainError(
    'typed_data_not_allowed',
    `the wallet's policy does not allow ${primaryType} for ${contract ?? 'a domain without chain and contract'} to be signed`,
    '/payload/typedData',
  )
}

const bytesOf = ({ encoding, data }: MessagePayload) => (encoding === 'hex' ? hexToBytes(data) : utf8ToBytes(data))

function requireEcdsa({ kind }: Payload, { scheme }: Pick<ThresholdProtocol, 'scheme'>): void {
  if (!isEcdsa(scheme)) throw new DomainError('payload_not_supported', `${kind} needs an ECDSA key`, '/payload/kind')
}

function readPayload(value: unknown): Payload {
  const { kind, encoding, data, typedData } = readFields(value, ['kind'], ['encoding', 'data', 'typedData'])
  if (kind === 'eip712') {
    readFields(value, ['kind', 'typedData'])
    return { kind, typedData }
  }
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
