import { sha256 } from '@noble/hashes/sha2.js'
import type { Field } from '../fields.ts'
import type { Identity } from '../ports/identity.ts'
import type { CeremonyAttempt, CeremonyReply, Secret, Statement } from './messages.ts'
import { hasSaid, signSaying, type Witness } from './sayings.ts'

/** A round of one attempt at a ceremony. */
export type Moment = CeremonyAttempt & { round: number }

export type Said = Extract<CeremonyReply, { type: 'said' }>

const STATEMENT = 'statement'
const SECRET = 'secret'
const NONE = new Uint8Array()

/** The fields that tell one attempt from every other. */
export const attemptFields = ({ scheme, kind, ceremonyId, attempt }: CeremonyAttempt): readonly Field[] => [
  scheme,
  kind,
  ceremonyId,
  attempt,
]

const statementFields = (at: Moment, { broadcast, sealingKey, transcript }: Omit<Statement, 'signature'>): readonly Field[] => [
  ...attemptFields(at),
  at.round,
  broadcast,
  sealingKey ?? NONE,
  transcript,
]

const secretFields = (at: Moment, to: string, transcript: Uint8Array, sealed: Uint8Array): readonly Field[] => [
  ...attemptFields(at),
  at.round,
  to,
  transcript,
  sha256(sealed),
]

/** @throws Unavailable */
export async function signStatement(speaker: Identity, at: Moment, unsigned: Omit<Statement, 'signature'>): Promise<Statement> {
  return { ...unsigned, signature: await signSaying(speaker, STATEMENT, ...statementFields(at, unsigned)) }
}

/** Whether `from` has said this in this round and no other. */
export function isStatementOf(witness: Witness, at: Moment, from: string, statement: Statement): boolean {
  return hasSaid(witness, from, statement.signature, STATEMENT, ...statementFields(at, statement))
}

type Addressed = { to: string; transcript: Uint8Array }

/** @throws Unavailable */
export async function signSecret(speaker: Identity, at: Moment, { to, transcript }: Addressed, sealed: Uint8Array): Promise<Secret> {
  return { sealed, signature: await signSaying(speaker, SECRET, ...secretFields(at, to, transcript, sealed)) }
}

/** Whether `from` has sealed this, in this round, for somebody in a conversation with this transcript. */
export function isSecretOf(
  witness: Witness,
  at: Moment,
  from: string,
  { to, transcript }: Addressed,
  { sealed, signature }: Secret,
): boolean {
  return hasSaid(witness, from, signature, SECRET, ...secretFields(at, to, transcript, sealed))
}

/** Whether all of an answer is signed by its party. What is not must not be carried: those who hear it would hold it against the carrier. */
export function isSaidBy(witness: Witness, at: Moment, from: string, { statement, secrets }: Said): boolean {
  const { transcript } = statement
  return (
    isStatementOf(witness, at, from, statement) &&
    secrets.every(({ to, ...secret }) => isSecretOf(witness, at, from, { to, transcript }, secret))
  )
}
