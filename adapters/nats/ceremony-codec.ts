import { decode, encode } from '@msgpack/msgpack'
import { MAX_POLICY_BYTES } from '../../domain/authorisation/key-policy.ts'
import {
  type CeremonyReply,
  type CeremonyRequest,
  type Confirmation,
  type Heard,
  ID_PATTERN,
  MAX_OPENINGS,
  MAX_PIECE_BYTES,
  REFUSAL_CODES,
  type Secret,
  type SharedKey,
  type ShareReference,
  type Statement,
  type TransactionToSign,
} from '../../domain/ceremony/messages.ts'
import { OPENING_ID_BYTES, type Opening, TRANSCRIPT_BYTES } from '../../domain/ceremony/opening.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import { MAX_MESSAGES, MAX_TRANSACTION_BYTES } from '../../domain/ports/transaction-codec.ts'
import { MAX_PARTIES } from '../../domain/threshold/scheme.ts'
import { MAX_REQUIRED_APPROVALS } from '../../domain/wallet/policy.ts'
import { MAX_ATTEMPT, MAX_CONTENT_BYTES } from './envelope.ts'
import { bytes, integer, list, Malformed, nullable, oneOf, record, text, variant } from './shape.ts'

const MAX_POLICY_VERSION = 1_000_000_000
const MAX_PUBLIC_KEY_BYTES = 64
const MAX_TEXT = 512 * 1024
const MAX_REASON = 500
const DIGEST_BYTES = 32
const SEALING_KEY_BYTES = 32
const SIGNATURE_BYTES = 64
const MAX_PATH = 200
/** CAIP-2: a namespace of 8 characters, a colon, a reference of 32. */
const MAX_CHAIN = 41

/** What no message needs more of, checked while it is being decoded. */
const LIMITS = { maxStrLength: MAX_TEXT, maxBinLength: MAX_CONTENT_BYTES, maxArrayLength: 32, maxMapLength: 16, maxExtLength: 0 }

const id = text(64, ID_PATTERN)
const piece = bytes(0, MAX_PIECE_BYTES)
const parties = list(id, MAX_PARTIES)

const statement = record<Statement>({
  broadcast: piece,
  sealingKey: nullable(bytes(SEALING_KEY_BYTES)),
  transcript: bytes(DIGEST_BYTES),
  signature: bytes(SIGNATURE_BYTES),
})

const secret = { sealed: piece, signature: bytes(SIGNATURE_BYTES) }

const heard = record<Heard>({
  statements: list(record({ from: id, statement }), MAX_PARTIES),
  secrets: list(record<{ from: string } & Secret>({ from: id, ...secret }), MAX_PARTIES),
})

const authorisation = record<Authorisation>({
  method: text(16),
  path: text(2_048),
  body: text(MAX_TEXT),
  intent: nullable(text(16_384)),
})

const share = record<ShareReference>({
  keyId: id,
  epoch: integer(1, MAX_ATTEMPT),
  attempt: integer(1, MAX_ATTEMPT),
  publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES),
})

const sharedKey = record<SharedKey>({
  keyId: id,
  epoch: integer(1, MAX_ATTEMPT),
  attempt: integer(1, MAX_ATTEMPT),
  publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES),
  threshold: integer(1, MAX_PARTIES),
  parties,
  publicPackage: bytes(1, MAX_PIECE_BYTES),
  policy: bytes(1, MAX_POLICY_BYTES),
})

const path = text(MAX_PATH, /^m(\/\d{1,10})*$/)
const approvals = list(authorisation, MAX_REQUIRED_APPROVALS)
const transaction = record<TransactionToSign>({
  chain: text(MAX_CHAIN),
  transferId: id,
  unsigned: bytes(1, MAX_TRANSACTION_BYTES),
  index: integer(0, MAX_MESSAGES - 1),
  replacement: nullable(authorisation),
})
const intents = list(text(16_384), MAX_REQUIRED_APPROVALS)

const openingId = bytes(OPENING_ID_BYTES)
const opening = record<Opening>({
  id: openingId,
  partyId: id,
  keyId: id,
  epoch: integer(1, MAX_ATTEMPT),
  broadcast: piece,
  expiresAt: integer(0, Number.MAX_SAFE_INTEGER),
  signature: bytes(SIGNATURE_BYTES),
})

const request = variant<CeremonyRequest>({
  generateKey: record({
    type: oneOf(['generateKey']),
    key: record({ keyId: id, threshold: integer(1, MAX_PARTIES), parties, authorisation, policy: bytes(1, MAX_POLICY_BYTES) }),
  }),
  open: record({ type: oneOf(['open']), share, count: integer(1, MAX_OPENINGS) }),
  abandon: record({ type: oneOf(['abandon']), openings: list(openingId, MAX_OPENINGS) }),
  sign: record({
    type: oneOf(['sign']),
    task: record({
      share,
      path,
      openings: list(opening, MAX_PARTIES),
      authorisation,
      approvals,
      transaction: nullable(transaction),
    }),
  }),
  presign: record({ type: oneOf(['presign']), share, signers: parties }),
  signTogether: record({
    type: oneOf(['signTogether']),
    task: record({ share, path, signers: parties, authorisation, approvals, transaction: nullable(transaction) }),
  }),
  proceed: record({ type: oneOf(['proceed']), heard }),
  refreshKey: record({ type: oneOf(['refreshKey']), share, authorisation }),
  confirmRefresh: record({ type: oneOf(['confirmRefresh']), share }),
  completeRefresh: record({
    type: oneOf(['completeRefresh']),
    share,
    confirmations: list(record<Confirmation>({ from: id, signature: bytes(SIGNATURE_BYTES) }), MAX_PARTIES),
  }),
  discardRefresh: record({ type: oneOf(['discardRefresh']), share }),
  recoverShare: record({
    type: oneOf(['recoverShare']),
    recovery: record({ key: sharedKey, lost: id, helpers: parties, authorisation }),
  }),
  destroyShares: record({ type: oneOf(['destroyShares']), keyId: id, authorisation }),
  changePolicy: record({
    type: oneOf(['changePolicy']),
    change: record({ keyId: id, version: integer(1, MAX_POLICY_VERSION), authorisation, approvals: intents }),
  }),
})

const reply = variant<CeremonyReply>({
  said: record({ type: oneOf(['said']), statement, secrets: list(record<{ to: string } & Secret>({ to: id, ...secret }), MAX_PARTIES) }),
  generated: record({
    type: oneOf(['generated']),
    publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES),
    publicPackage: bytes(1, MAX_PIECE_BYTES),
    policyDigest: bytes(DIGEST_BYTES),
  }),
  opened: record({ type: oneOf(['opened']), openings: list(opening, MAX_OPENINGS) }),
  abandoned: record({ type: oneOf(['abandoned']) }),
  contributed: record({
    type: oneOf(['contributed']),
    contribution: piece,
    transcript: bytes(TRANSCRIPT_BYTES),
    broadcast: nullable(piece),
  }),
  destroyed: record({ type: oneOf(['destroyed']) }),
  confirmed: record({ type: oneOf(['confirmed']), signature: bytes(SIGNATURE_BYTES) }),
  completed: record({ type: oneOf(['completed']) }),
  policyChanged: record({ type: oneOf(['policyChanged']), version: integer(1, MAX_POLICY_VERSION) }),
  refused: record({ type: oneOf(['refused']), code: oneOf(REFUSAL_CODES), reason: text(MAX_REASON), culprits: parties }),
})

/** Equal requests are equal bytes. */
export function encodeRequest(content: CeremonyRequest): Uint8Array {
  return encode(content)
}

/** @throws Malformed */
export function decodeRequest(content: Uint8Array): CeremonyRequest {
  return request(decodeStrictly(content))
}

export function encodeReply(content: CeremonyReply): Uint8Array {
  return encode(content.type === 'refused' ? { ...content, reason: content.reason.slice(0, MAX_REASON) } : content)
}

/** @throws Malformed */
export function decodeReply(content: Uint8Array): CeremonyReply {
  return reply(decodeStrictly(content))
}

function decodeStrictly(content: Uint8Array): unknown {
  try {
    return decode(new Uint8Array(content.buffer, content.byteOffset, content.byteLength), LIMITS)
  } catch {
    throw new Malformed('not MessagePack, or too much of it')
  }
}
