import { LIFETIME_MARGIN_SECONDS } from '../../../domain/ports/transaction-codec.ts'
import { latestOf, type Transaction, type Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import { buildAnew } from './build-transactions.ts'
import { type Fate, fateOf, type Sight } from './fate.ts'
import { grouped } from './grouped.ts'
import { bytesOf, type PayerTurn, senderOf, versionKey } from './payer-turn.ts'
import { byNonce, isSigned, send, sentOf } from './send-transactions.ts'

/** Transfers that the chain is asked about at the same time. */
const AT_ONCE = 8
/** How far the clock of a party may be behind that of this coordinator. */
const CLOCKS_APART_SECONDS = 30
/** Why what nodes have and miners pass over is stuck. */
const NOT_MINED = 'not_mined'

export type LookOptions = {
  /** For how long a transaction may wait to be mined before somebody should know. */
  stuckAfterMs: number
}

/**
 * Asks the chain what has become of what was sent, and writes it down. Of the transfers in one block one is asked about for all as long as the block stands; of
 * those that are not mined, where transactions are counted, none behind some that are not.
 * @returns when the chain is to be asked again though it has not moved, in milliseconds since the epoch; undefined when nothing waits to be mined
 */
export async function lookAtChain(turn: PayerTurn, { stuckAfterMs }: LookOptions): Promise<number | undefined> {
  const { book, chain } = turn
  const signed = book.transfers().filter(({ transactions }) => transactions.some(isSigned))
  for (const [first, ...others] of inBlocks(signed)) if (await hasChanged(turn, first!)) await look(turn, others)
  const waiting = signed.filter(({ mined }) => mined === null).toSorted(byNonce)
  for (let i = 0; i < waiting.length; i += AT_ONCE) {
    const wasAnyMined = await look(turn, waiting.slice(i, i + AT_ONCE))
    if (chain.hasNonces && !wasAnyMined) break
  }
  return markStuck(turn, stuckAfterMs)
}

function inBlocks(transfers: readonly Transfer[]): Iterable<readonly Transfer[]> {
  const mined = transfers.filter((transfer) => transfer.mined !== null)
  // What counts and what does not yet are told apart: one of them may have been written down and the others not.
  return grouped(mined, ({ mined, status }) => `${mined?.block.hash} ${status}`).values()
}

async function hasChanged(turn: PayerTurn, transfer: Transfer): Promise<boolean> {
  const fate = await ask(turn, transfer)
  await writeDown(turn, transfer, fate)
  return fate.commands.length > 0
}

/** Whether any of them has come into a block. */
async function look(turn: PayerTurn, transfers: readonly Transfer[]): Promise<boolean> {
  let wasAnyMined = false
  for (let i = 0; i < transfers.length; i += AT_ONCE) {
    const some = transfers.slice(i, i + AT_ONCE)
    const fates = await Promise.all(some.map((transfer) => ask(turn, transfer)))
    for (const [index, transfer] of some.entries()) {
      const fate = fates[index]!
      wasAnyMined ||= fate.commands.some(({ type }) => type === 'ConfirmTransfer')
      await writeDown(turn, transfer, fate)
    }
  }
  return wasAnyMined
}

async function ask({ node }: PayerTurn, transfer: Transfer): Promise<Fate> {
  const signed = transfer.transactions.filter(isSigned)
  const sights = await Promise.all(
    signed.map(
      async (transaction): Promise<Sight> => ({ version: transaction.version, status: await node.status(sentOf(transfer, transaction)) }),
    ),
  )
  return fateOf(transfer, sights, node.confirmations)
}

async function writeDown(turn: PayerTurn, { transferId }: Transfer, fate: Fate): Promise<void> {
  const { book } = turn
  if (fate.commands.length > 0) await book.carryOut(transferId, fate.commands)
  const transfer = book.transfer(transferId)
  if (!transfer || transfer.mined) return
  if (fate.hasExpired) await goOnWithoutIt(turn, transfer)
  else if (fate.isLost) await sendAgain(turn, transfer)
}

/**
 * What is signed can never be mined: unless another one is made already, one is made now. Where nobody signs that one, what some parties may have signed of it is
 * waited for to die of age, too.
 */
async function goOnWithoutIt(turn: PayerTurn, transfer: Transfer): Promise<void> {
  const { transferId, stuck } = transfer
  const newest = latestOf(transfer)!
  const { lifetimeSeconds } = turn.codec.read(bytesOf(newest.unsigned), senderOf(transfer))
  if (isSigned(newest)) {
    if (Date.now() < deadForPartiesAt(sentAtOf(turn, transfer, newest), lifetimeSeconds)) return
    const reason = await buildAnew(turn, transfer)
    if (reason !== undefined) await turn.book.carryOut(transferId, [{ type: 'DropTransfer', transferId, reason }])
  } else if (stuck && lifetimeSeconds !== null && Date.now() >= deadForPartiesAt(Date.parse(stuck.since), lifetimeSeconds))
    await turn.book.carryOut(transferId, [{ type: 'DropTransfer', transferId, reason: stuck.reason }])
}

/** Parties, who do not ask the chain, sign no other transaction for the transfer until this one has died of age by their own clocks. */
const deadForPartiesAt = (time: number, lifetimeSeconds: number | null): number =>
  time + ((lifetimeSeconds ?? 0) + LIFETIME_MARGIN_SECONDS + CLOCKS_APART_SECONDS) * 1_000

function sentAtOf({ memory }: PayerTurn, { transferId }: Transfer, { version }: Transaction): number {
  const key = versionKey(transferId, version)
  const sentAt = memory.sentAt.get(key) ?? Date.now()
  memory.sentAt.set(key, sentAt)
  return sentAt
}

async function sendAgain(turn: PayerTurn, transfer: Transfer): Promise<void> {
  const { transferId, transactions, stuck } = transfer
  const newest = transactions.findLast(isSigned)
  if (!newest || turn.book.wallet().status !== 'open') return
  const isTaken = await send(turn, transfer, newest)
  // What spoke against it is over.
  if (isTaken && stuck && stuck.reason !== NOT_MINED && newest === latestOf(transfer))
    await turn.book.carryOut(transferId, [{ type: 'UnmarkTransferStuck', transferId }])
}

/** Says of those that have waited for too long to be mined that they are stuck; and when the next one will have. */
async function markStuck(turn: PayerTurn, stuckAfterMs: number): Promise<number | undefined> {
  const { book } = turn
  let next: number | undefined
  for (const transfer of book.transfers()) {
    const { transferId, mined, stuck } = transfer
    const newest = latestOf(transfer)
    // What is being signed in its place is not held up by it: what is stuck is not signed any more.
    if (!isSigned(newest) || mined || stuck) continue
    const sentAt = sentAtOf(turn, transfer, newest)
    const stuckAt = sentAt + stuckAfterMs
    if (Date.now() < stuckAt) next = Math.min(next ?? stuckAt, stuckAt)
    else
      await book.carryOut(transferId, [{ type: 'MarkTransferStuck', transferId, since: new Date(sentAt).toISOString(), reason: NOT_MINED }])
  }
  return next
}
