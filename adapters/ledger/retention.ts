import { decodeEntry } from './entry.ts'
import type { LedgerFile, Place, Row } from './ledger-file.ts'

/**
 * Drops entries of before a moment (ms since 1970) from these rows, which follow `place`, and with them their sessions and intents. Those that hold a slot stay for
 * ever, and so does the last entry. Of a run of dropped ones the last hash remains, so that the chain can still be verified.
 */
export function dropOld(file: LedgerFile, place: Place, rows: readonly Row[], before: number): void {
  const last = file.head().sequence
  const predecessor = place.sequence > 0 ? file.covering(place.sequence) : undefined
  let run = predecessor?.content === null ? predecessor : undefined
  for (const row of rows) {
    const isDropped = row.content === null || (row.sequence < last && isExpendable(row.content, before))
    if (isDropped) {
      if (row.content) forget(file, row.sequence, row.content)
      if (run) file.deleteEntry(run.sequence)
      const first = run?.first ?? row.first
      if (row.content || run) file.emptyEntry(first, row.sequence)
      run = { ...row, first, content: null }
    } else run = undefined
  }
}

function isExpendable(content: Uint8Array, before: number): boolean {
  const entry = decodeEntry(content)
  if (entry.kind === 'lifted' || entry.at >= before) return false
  return entry.kind === 'operation' || entry.slots.length === 0
}

function forget(file: LedgerFile, sequence: number, content: Uint8Array): void {
  const entry = decodeEntry(content)
  if (entry.kind === 'lifted') return
  for (const intent of entry.intents) file.deleteIntent(intent, sequence)
  if (entry.kind !== 'signature') return
  file.deleteAttempt(entry.keyId, entry.sessionId, entry.attempt)
  file.deleteTransaction(sequence)
}
