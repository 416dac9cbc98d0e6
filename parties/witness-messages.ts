import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'
import { hasSaid, signSaying, type Witness } from '../domain/ceremony/sayings.ts'
import type { Identity } from '../domain/ports/identity.ts'
import type { LedgerHead } from '../domain/ports/signing-ledger.ts'
import type { SignedHead } from '../domain/ports/witness-store.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'

/**
 * What parties tell each other of their ledgers, as JSON: a head, by the party itself; a question, what another has witnessed of who asks; and its answer.
 * All of it is signed. `to` says who is meant, and an answer names the question by its challenge.
 */
export type WitnessMessage =
  | ({ type: 'head' } & SignedHead)
  | { type: 'question'; from: string; to: string; challenge: Uint8Array; signature: Uint8Array }
  | { type: 'answer'; from: string; to: string; challenge: Uint8Array; head: SignedHead | null; signature: Uint8Array }

export type WitnessQuestion = Extract<WitnessMessage, { type: 'question' }>
export type WitnessAnswer = Extract<WitnessMessage, { type: 'answer' }>

/** Where a party publishes its head. */
export const headSubject = (partyId: string) => `quorate.party.${partyId}.witness`
/** Where a party is asked. Apart, because all who listen for heads would count as somebody to answer, and who asks a party that is down would wait in vain. */
export const questionSubject = (partyId: string) => `quorate.party.${partyId}.witness.questions`

const MAX_BYTES = 4_096
const DIGEST_BYTES = 32
const SIGNATURE_BYTES = 64

export async function signHead(identity: Identity, { sequence, hash }: LedgerHead): Promise<SignedHead> {
  return { partyId: identity.id, sequence, hash, signature: await signSaying(identity, 'ledger head', Number(sequence), hash) }
}

/** Whether the head is by the party that it names. */
export const isOwnHead = (witness: Witness, { partyId, sequence, hash, signature }: SignedHead): boolean =>
  hasSaid(witness, partyId, signature, 'ledger head', Number(sequence), hash)

export async function signQuestion(identity: Identity, to: string, challenge: Uint8Array): Promise<WitnessQuestion> {
  const signature = await signSaying(identity, 'witness question', to, challenge)
  return { type: 'question', from: identity.id, to, challenge, signature }
}

export const isAsked = (witness: Witness, { from, to, challenge, signature }: WitnessQuestion): boolean =>
  hasSaid(witness, from, signature, 'witness question', to, challenge)

export async function signAnswer(
  identity: Identity,
  { from: to, challenge }: WitnessQuestion,
  head: SignedHead | null,
): Promise<WitnessAnswer> {
  const signature = await signSaying(identity, 'witness answer', to, challenge, ...fieldsOf(head))
  return { type: 'answer', from: identity.id, to, challenge, head, signature }
}

/** Whether the answer is to the question, by whom it was put to. */
export const isAnswerTo = (witness: Witness, question: WitnessQuestion, { from, to, challenge, head, signature }: WitnessAnswer): boolean =>
  from === question.to &&
  to === question.from &&
  equalBytes(challenge, question.challenge) &&
  hasSaid(witness, from, signature, 'witness answer', to, challenge, ...fieldsOf(head))

export function encodeWitness(message: WitnessMessage): Uint8Array {
  const text = JSON.stringify(message, function (this: Fields, name, value: unknown) {
    // A Buffer has made something else of itself before it comes here.
    const given = this[name]
    if (given instanceof Uint8Array) return bytesToHex(given)
    return typeof value === 'bigint' ? String(value) : value
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

const fieldsOf = (head: SignedHead | null) => (head ? [head.partyId, Number(head.sequence), head.hash, head.signature] : [])

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
