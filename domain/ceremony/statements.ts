import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
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

/** What is sealed may be long: the platform's SHA-256, where there is one to give, takes a tenth of the time of the one that is used otherwise. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** The statement that goes with a secret is one of all that its party may have made in this round: it may have been asked twice, with a restart in between. */
const secretFields = (at: Moment, { to, statement }: Addressed, sealed: Uint8Array, sha256: Sha256): readonly Field[] => [
  ...attemptFields(at),
  at.round,
  to,
  statement.signature,
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

/** For whom a secret is, and the statement with which it is said. */
type Addressed = { to: string; statement: Statement }

/** @throws Unavailable */
export async function signSecret(
  speaker: Identity,
  at: Moment,
  addressed: Addressed,
  sealed: Uint8Array,
  sha256: Sha256 = nobleSha256,
): Promise<Secret> {
  return { sealed, signature: await signSaying(speaker, SECRET, ...secretFields(at, addressed, sealed, sha256)) }
}

/** Whether `from` has sealed this, in this round, together with this statement. */
export function isSecretOf(
  witness: Witness,
  at: Moment,
  from: string,
  addressed: Addressed,
  { sealed, signature }: Secret,
  sha256: Sha256 = nobleSha256,
): boolean {
  return hasSaid(witness, from, signature, SECRET, ...secretFields(at, addressed, sealed, sha256))
}

/** Whether all of an answer is signed by its party. What is not must not be carried: those who hear it would hold it against the carrier. */
export function isSaidBy(witness: Witness, at: Moment, from: string, { statement, secrets }: Said, sha256: Sha256 = nobleSha256): boolean {
  return (
    isStatementOf(witness, at, from, statement) &&
    secrets.every(({ to, ...secret }) => isSecretOf(witness, at, from, { to, statement }, secret, sha256))
  )
}
