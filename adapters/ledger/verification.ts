import { LedgerCorrupt } from './corrupt.ts'
import { chainHash, decodeEntry, type Entry, GENESIS } from './entry.ts'
import type { LedgerFile, Place, Row } from './ledger-file.ts'
import { isIndexed, slotOwner, useFor } from './transactions.ts'

export const BEGINNING: Place = { sequence: 0, hash: GENESIS }

/**
 * Verifies the entries after a place that is trusted, at most `limit` of them: that none is missing, that each is what was chained, and that a claim
 * that contradicts it would find it. Returns them.
 * @throws LedgerCorrupt
 */
export function verifyAfter(file: LedgerFile, place: Place, limit: number): Row[] {
  const rows = file.after(place.sequence, limit)
  let previous = place
  for (const row of rows) {
    if (row.first !== previous.sequence + 1) throw new LedgerCorrupt(`entry ${previous.sequence + 1} of the ledger is missing`)
    if (row.content) {
      const { first, sequence, hash, content } = row
      if (Buffer.compare(chainHash(previous.hash, first, sequence, content), hash) !== 0)
        throw new LedgerCorrupt(`entry ${sequence} of the ledger is not what was recorded`)
      const unfindable = whatIsNotFound(file, sequence, decodeEntry(content))
      if (unfindable) throw new LedgerCorrupt(`the ledger's index does not have ${unfindable} of entry ${sequence}`)
    }
    previous = row
  }
  return rows
}

/** Verifies the whole ledger. Takes some 0.1 ms an entry. @throws LedgerCorrupt */
export function verifyLedger(file: LedgerFile): Place {
  let place = BEGINNING
  for (;;) {
    const last = verifyAfter(file, place, 1_000).at(-1)
    if (!last) return place
    place = last
  }
}

function whatIsNotFound(file: LedgerFile, sequence: number, entry: Entry): string | undefined {
  if (entry.kind === 'lifted') return undefined
  if (entry.intents.some((intent) => file.intent(intent)?.operation !== operationOf(entry, intent))) return 'an intent'
  if (entry.kind === 'operation') return undefined
  const { keyId, sessionId, attempt, slots } = entry
  if (file.attempt(keyId, sessionId, attempt)?.sequence !== sequence) return 'the session'
  if (!isIndexed(file, sequence, entry)) return 'the transaction'
  const owner = slotOwner(entry)
  const isTaken = (slot: string) => Buffer.compare(new Uint8Array(file.slot(keyId, slot)?.digest ?? []), owner) === 0
  return slots.every(isTaken) ? undefined : 'a slot'
}

/** What an intent allows, once it was used. */
export function operationOf(entry: Exclude<Entry, { kind: 'lifted' }>, intent: string): string {
  if (entry.kind === 'operation') return `operation ${entry.operation}`
  return entry.transaction ? useFor(entry.transaction, intent) : `signature ${entry.keyId} ${entry.sessionId}`
}
