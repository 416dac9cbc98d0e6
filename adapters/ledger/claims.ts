import { ClaimRefused, type LedgerHead, type Limits, type SigningClaim } from '../../domain/ports/signing-ledger.ts'
import { LedgerCorrupt } from './corrupt.ts'
import type { Entry, SignatureEntry } from './entry.ts'
import type { LedgerFile } from './ledger-file.ts'
import { conflictWith, historyOf, indexTransaction, signedFor, signedTransaction, slotOwner } from './transactions.ts'
import { operationOf } from './verification.ts'

/** Records a claim, unless it is recorded already. Within a transaction, which need not end when the claim is refused. @throws ClaimRefused */
export function recordClaim(file: LedgerFile, claim: SigningClaim, at: number, limits?: Limits): void {
  const { keyId, sessionId, attempt, requestDigest, digest, answer } = claim
  const [slots, intents] = [unique(claim.slots), unique(claim.intents)]
  const before = claim.transaction ? signedFor(file, claim.transaction.transferId) : []
  // A cancellation moves nothing, so what is signed after it may be the first that does.
  const isCounted = claim.transaction !== null && file.firstMove(claim.transaction.transferId) !== undefined
  const transaction = claim.transaction && signedTransaction(claim.transaction, isCounted)
  const entry: SignatureEntry = {
    kind: 'signature',
    at,
    ...{ keyId, sessionId, attempt, requestDigest, digest, slots, intents, transaction, answer },
  }
  const owner = slotOwner(entry)
  const ownerOf = (slot: string) => file.slot(keyId, slot)?.digest
  const refuse = (code: ClaimRefused['code'], why: string) => {
    throw new ClaimRefused(code, `key ${keyId}, session ${sessionId}, attempt ${attempt}: ${why}`)
  }

  const inSession = file.session(keyId, sessionId)
  if (inSession && !same(signatureAt(file, inSession.sequence).digest, digest))
    refuse('signed_otherwise', 'the session was signed over something else')
  const inAttempt = file.attempt(keyId, sessionId, attempt)
  if (inAttempt) {
    const made = signatureAt(file, inAttempt.sequence)
    const isRepeated = same(made.requestDigest, requestDigest) && same(made.answer, answer)
    const isOwn = (slot: string) => same(new Uint8Array(ownerOf(slot) ?? []), owner)
    const isUsedForThis = (intent: string) => file.intent(intent)?.operation === operationOf(entry, intent)
    if (isRepeated && slots.every(isOwn) && intents.every(isUsedForThis)) return
    refuse('signed_otherwise', 'this attempt was answered otherwise')
  }
  for (const slot of slots) {
    const taken = ownerOf(slot)
    if (taken && !same(new Uint8Array(taken), owner)) refuse('slot_taken', `${slot} was spent on something else`)
  }
  const isAnother = transaction && !before.some((other) => same(other.transaction.digest, transaction.digest))
  const conflict = isAnother ? conflictWith(before, entry) : undefined
  if (conflict !== undefined) refuse('slot_taken', conflict)
  assertUnused(file, intents, (intent) => operationOf(entry, intent))
  const exceeded = transaction?.moves && limits?.exceededBy(historyOf(file, transaction, limits.windowMs, at))
  if (exceeded) refuse('limit_exceeded', exceeded)

  // The transaction's first entry has its slots and intents, and stays as long as they do.
  const recorded = transaction && !isAnother ? { ...entry, slots: [], intents: intents.filter((intent) => !file.intent(intent)) } : entry
  const { sequence } = file.append(recorded)
  file.insertAttempt(keyId, sessionId, attempt, sequence)
  indexTransaction(file, sequence, recorded)
  for (const slot of recorded.slots) if (!ownerOf(slot)) file.insertSlot(keyId, slot, owner)
  for (const intent of recorded.intents) file.putIntent(intent, operationOf(entry, intent), sequence)
}

/** Records what intents were used for, unless it is recorded already. Within a transaction. @throws ClaimRefused */
export function recordOperation(file: LedgerFile, given: readonly string[], operation: string, at: number): void {
  const intents = unique(given)
  const entry: Entry = { kind: 'operation', at, operation, intents }
  const use = () => operationOf(entry, '')
  assertUnused(file, intents, use)
  if (intents.every((intent) => file.intent(intent))) return
  const { sequence } = file.append(entry)
  for (const intent of intents) file.putIntent(intent, use(), sequence)
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

function assertUnused(file: LedgerFile, intents: readonly string[], useOf: (intent: string) => string): void {
  for (const intent of intents) {
    const used = file.intent(intent)
    if (used && used.operation !== useOf(intent))
      throw new ClaimRefused('intent_reused', `intent ${intent} was used for ${used.operation}, and is not for ${useOf(intent)}`)
  }
}

const unique = (names: readonly string[]): string[] => [...new Set(names)]

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
