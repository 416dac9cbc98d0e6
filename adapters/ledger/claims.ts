import { ClaimRefused, type LedgerHead, type SigningClaim } from '../../domain/ports/signing-ledger.ts'
import { LedgerCorrupt } from './corrupt.ts'
import type { Entry } from './entry.ts'
import type { LedgerFile } from './ledger-file.ts'
import { operationOf } from './verification.ts'

export type SignatureEntry = Extract<Entry, { kind: 'signature' }>

/** Records a claim, unless it is recorded already. Within a transaction, which need not end when the claim is refused. @throws ClaimRefused */
export function recordClaim(file: LedgerFile, claim: SigningClaim, at: number): void {
  const { keyId, sessionId, attempt, requestDigest, digest, answer } = claim
  const [slots, intents] = [unique(claim.slots), unique(claim.intents)]
  const entry: SignatureEntry = { kind: 'signature', at, keyId, sessionId, attempt, requestDigest, digest, slots, intents, answer }
  const refuse = (code: ClaimRefused['code'], why: string) => {
    throw new ClaimRefused(code, `key ${keyId}, session ${sessionId}, attempt ${attempt}: ${why}`)
  }

  const inSession = file.session(keyId, sessionId)
  if (inSession && !same(signatureAt(file, inSession.sequence).digest, digest))
    refuse('signed_otherwise', 'the session was signed over something else')
  const before = file.attempt(keyId, sessionId, attempt)
  if (before) {
    const made = signatureAt(file, before.sequence)
    const isRepeated = same(made.requestDigest, requestDigest) && same(made.answer, answer)
    if (isRepeated && slots.every((slot) => made.slots.includes(slot)) && intents.every((intent) => made.intents.includes(intent))) return
    refuse('signed_otherwise', 'this attempt was answered otherwise')
  }
  for (const slot of slots) {
    const taken = file.slot(keyId, slot)
    if (taken && !same(new Uint8Array(taken.digest), digest)) refuse('slot_taken', `${slot} was spent on something else`)
  }
  assertUnused(file, intents, operationOf(entry))

  const { sequence } = file.append(entry)
  file.insertAttempt(keyId, sessionId, attempt, sequence)
  for (const slot of slots) if (!file.slot(keyId, slot)) file.insertSlot(keyId, slot, digest)
  for (const intent of intents) file.putIntent(intent, operationOf(entry), sequence)
}

/** Records what intents were used for, unless it is recorded already. Within a transaction. @throws ClaimRefused */
export function recordOperation(file: LedgerFile, given: readonly string[], operation: string, at: number): void {
  const intents = unique(given)
  const entry: Entry = { kind: 'operation', at, operation, intents }
  assertUnused(file, intents, operationOf(entry))
  if (intents.every((intent) => file.intent(intent))) return
  const { sequence } = file.append(entry)
  for (const intent of intents) file.putIntent(intent, operationOf(entry), sequence)
}

/** What was answered in an attempt. */
export function answerIn(file: LedgerFile, keyId: string, sessionId: string, attempt: number): SignatureEntry | undefined {
  const found = file.attempt(keyId, sessionId, attempt)
  return found && signatureAt(file, found.sequence)
}

export const headOf = (file: LedgerFile): LedgerHead => {
  const { sequence, hash } = file.head()
  return { sequence: BigInt(sequence), hash }
}

function signatureAt(file: LedgerFile, sequence: number): SignatureEntry {
  const entry = file.entryAt(sequence)
  if (entry.kind !== 'signature') throw new LedgerCorrupt(`entry ${sequence} of the ledger is no signature`)
  return entry
}

function assertUnused(file: LedgerFile, intents: readonly string[], operation: string): void {
  for (const intent of intents) {
    const used = file.intent(intent)
    if (used && used.operation !== operation)
      throw new ClaimRefused('intent_reused', `intent ${intent} was used for ${used.operation}, and is not for ${operation}`)
  }
}

const unique = (names: readonly string[]): string[] => [...new Set(names)]

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
