import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { encodeFields } from '../domain/ceremony/fields.ts'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'
import type { SignedHead } from '../domain/ports/witness-store.ts'

/**
 * What parties tell each other of their ledgers, as JSON on `quorate.party.<partyId>.witness`: a head, by the party itself; a question, to the party,
 * what it has witnessed of who asks; and its answer. All of it is signed. `to` says who is meant, and an answer names the question by its challenge.
 */
export type WitnessMessage =
  | ({ type: 'head' } & SignedHead)
  | { type: 'question'; from: string; to: string; challenge: Uint8Array; signature: Uint8Array }
  | { type: 'answer'; from: string; to: string; challenge: Uint8Array; head: SignedHead | null; signature: Uint8Array }

export type WitnessQuestion = Extract<WitnessMessage, { type: 'question' }>
export type WitnessAnswer = Extract<WitnessMessage, { type: 'answer' }>

export const witnessSubject = (partyId: string) => `quorate.party.${partyId}.witness`

const MAX_BYTES = 4_096
const DIGEST_BYTES = 32
const SIGNATURE_BYTES = 64

/** What a party signs to stand by its ledger. */
export const headBytes = ({ partyId, sequence, hash }: Omit<SignedHead, 'signature'>) =>
  encodeFields('quorate ledger head', partyId, Number(sequence), hash)

export const questionBytes = ({ from, to, challenge }: Omit<WitnessQuestion, 'type' | 'signature'>) =>
  encodeFields('quorate witness question', from, to, challenge)

export const answerBytes = ({ from, to, challenge, head }: Omit<WitnessAnswer, 'type' | 'signature'>) =>
  encodeFields('quorate witness answer', from, to, challenge, ...(head ? [headBytes(head), head.signature] : []))

export function encodeWitness(message: WitnessMessage): Uint8Array {
  const text = JSON.stringify(message, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return value instanceof Uint8Array ? bytesToHex(value) : value
  })
  return new TextEncoder().encode(text)
}

/** Undefined for anything that `encodeWitness` does not write. */
export function decodeWitness(payload: Uint8Array): WitnessMessage | undefined {
  if (payload.length > MAX_BYTES) return undefined
  try {
    return read(JSON.parse(new TextDecoder().decode(payload)))
  } catch {
    return undefined
  }
}

type Fields = { [name: string]: unknown }

function read(message: Fields): WitnessMessage {
  if (message.type === 'head') return { type: 'head', ...head(message) }
  const { from, to, challenge, signature } = message
  const signed = { from: id(from), to: id(to), challenge: bytes(challenge, DIGEST_BYTES), signature: bytes(signature, SIGNATURE_BYTES) }
  if (message.type === 'question') return { type: 'question', ...signed }
  if (message.type === 'answer') return { type: 'answer', ...signed, head: message.head === null ? null : head(message.head as Fields) }
  throw new TypeError('unknown type')
}

function head({ partyId, sequence, hash, signature }: Fields): SignedHead {
  if (typeof sequence !== 'string' || !/^\d{1,16}$/.test(sequence) || !Number.isSafeInteger(Number(sequence)))
    throw new TypeError('sequence')
  return {
    partyId: id(partyId),
    sequence: BigInt(sequence),
    hash: bytes(hash, DIGEST_BYTES),
    signature: bytes(signature, SIGNATURE_BYTES),
  }
}

function id(value: unknown): string {
  if (typeof value !== 'string' || !ID_PATTERN.test(value)) throw new TypeError('id')
  return value
}

function bytes(value: unknown, length: number): Uint8Array {
  const read = hexToBytes(value as string)
  if (read.length !== length) throw new TypeError('bytes')
  return read
}
