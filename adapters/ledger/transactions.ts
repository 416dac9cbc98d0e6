import { createHash } from 'node:crypto'
import { ClaimRefused, type History, type TransactionClaim } from '../../domain/ports/signing-ledger.ts'
import { LedgerCorrupt } from './corrupt.ts'
import type { SignatureEntry, SignedTransaction } from './entry.ts'
import type { LedgerFile } from './ledger-file.ts'

/** More transfers in one window are not looked at: nothing is signed then that depends on it. */
const MOST_MOVED = 100_000

/** What a slot is spent on: a transfer, whichever of its transactions it is; of what is no transfer, the very message. 32 bytes. */
export const slotOwner = ({ digest, transaction }: SignatureEntry): Uint8Array =>
  transaction ? createHash('sha256').update(`transfer ${transaction.transferId}`).digest() : digest

/** What an intent of the claim is used up for: the transfer, and what asks for one transaction of it, for that one. */
export const useFor = ({ transferId, digest, replacement }: SignedTransaction, intent: string): string =>
  intent === replacement ? `replacement in transfer ${transferId} ${Buffer.from(digest).toString('hex')}` : `transfer ${transferId}`

/** What was signed for the transfer before, each transaction once, in the order in which it was signed first. */
export function signedFor(file: LedgerFile, transferId: string): (SignatureEntry & { transaction: SignedTransaction })[] {
  return file.transactionsOf(transferId).map((sequence) => {
    const entry = file.entryAt(sequence)
    if (entry.kind !== 'signature' || !entry.transaction) throw new LedgerCorrupt(`entry ${sequence} of the ledger is no transaction`)
    return { ...entry, transaction: entry.transaction }
  })
}

/** Why the transaction may not be signed, given those before. */
export function conflictWith(
  before: readonly (SignatureEntry & { transaction: SignedTransaction })[],
  entry: SignatureEntry,
): string | undefined {
  const { transaction, slots, at } = entry
  if (!transaction) return undefined
  const isAlive = ({ at: signedAt, transaction: { lifetimeMs } }: (typeof before)[number]) =>
    lifetimeMs === null || at <= signedAt + lifetimeMs
  const alive = before.filter(isAlive)
  if (alive.length === 0) return undefined
  if (transaction.replacement === null) return `transfer:${transaction.transferId} was spent on another transaction`
  if (!alive.every((other) => other.slots.some((slot) => slots.includes(slot))))
    return `transfer:${transaction.transferId} was spent on a transaction that this one does not take the place of`
  // It would be kept for the transfer for ever, and lost when one of those before is mined.
  const further = slots.find((slot) => !alive.some((other) => other.slots.includes(slot)))
  return further && `${further} is spent by nothing that was signed for transfer:${transaction.transferId} before`
}

/** What had been moved when what moves something for the transfer was signed first, which is now if it was not yet. @throws ClaimRefused */
export function historyOf(
  file: LedgerFile,
  { walletId, transferId }: Pick<TransactionClaim, 'walletId' | 'transferId'>,
  windowMs: number,
  now: number,
): History {
  const first = file.firstMove(transferId)
  const at = first?.at ?? now
  const rows =
    windowMs === 0 ? [] : file.movedBefore(walletId, at - windowMs, first?.sequence ?? Number.MAX_SAFE_INTEGER, transferId, MOST_MOVED + 1)
  if (rows.length > MOST_MOVED) throw new ClaimRefused('limit_exceeded', `more than ${MOST_MOVED} transfers were signed for in the window`)
  return {
    at,
    moved: rows.map(({ at, asset, amount, usd_cents: cents }) => ({
      at,
      asset,
      amount: BigInt(amount),
      usdCents: cents === null ? null : BigInt(cents),
    })),
  }
}

export function indexTransaction(file: LedgerFile, sequence: number, { at, transaction }: SignatureEntry): void {
  if (!transaction) return
  const { transferId, digest, walletId, moves } = transaction
  file.insertTransaction(
    ...[sequence, transferId, digest, walletId, at],
    ...[moves?.asset ?? null, moves?.amount ?? null, moves?.usdCents ?? null],
  )
}

/** Whether the entry would be found when the next one is judged. */
export function isIndexed(file: LedgerFile, sequence: number, { at, transaction }: SignatureEntry): boolean {
  const row = file.transactionAt(sequence)
  if (!transaction) return row === undefined
  const { transferId, digest, walletId, moves } = transaction
  return (
    row?.transfer_id === transferId &&
    Buffer.compare(new Uint8Array(row.digest), digest) === 0 &&
    row.wallet_id === walletId &&
    row.at === at &&
    row.asset === (moves?.asset ?? null) &&
    row.amount === (moves?.amount ?? null) &&
    row.usd_cents === (moves?.usdCents ?? null)
  )
}

export function signedTransaction({ moves, ...transaction }: TransactionClaim, isCounted: boolean): SignedTransaction {
  if (!moves || isCounted) return { ...transaction, moves: null }
  const { asset, amount, usdCents } = moves
  return { ...transaction, moves: { asset, amount: String(amount), usdCents: usdCents === null ? null : String(usdCents) } }
}
