import { ChainFailure, type SentTransaction } from '../../../domain/ports/chain-node.ts'
import { latestOf, type Transaction, type Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import { bytesOf, type PayerTurn, senderOf, versionKey } from './payer-turn.ts'

export type Signed = Transaction & { raw: string; hash: string }

export const isSigned = (transaction: Transaction | undefined): transaction is Signed =>
  transaction !== undefined && transaction.raw !== null && transaction.hash !== null

/** A transaction as the node adapter knows it. */
export const sentOf = (transfer: Transfer, { raw, hash, conflicts, validity }: Signed): SentTransaction => ({
  hash,
  raw: bytesOf(raw),
  sender: senderOf(transfer),
  conflicts,
  validity,
})

/**
 * Sends what is signed, where transactions are counted in their order: nodes keep few of those whose turn has not come.
 * @returns whether any was sent
 * @throws ChainFailure when it is not known what has become of one
 */
export async function sendTransactions(turn: PayerTurn): Promise<boolean> {
  const { book } = turn
  if (book.wallet().status === 'frozen') return false
  let wasAnySent = false
  for (const transfer of book.transfers().toSorted(byNonce)) {
    if (transfer.mined) continue
    const latest = latestOf(transfer)
    if (isSigned(latest)) {
      if (latest.isBroadcast) continue
      wasAnySent = (await send(turn, transfer, latest)) || wasAnySent
    }
    // What can only be mined after this one waits for it, unless nobody knows for how long.
    else if (transfer.nonce !== null && transfer.status !== 'stuck') break
  }
  return wasAnySent
}

/**
 * Sends a transaction that is signed, again or for the first time: always the same bytes, which can move the money only once. What the chain surely did not take is
 * told by it when it is asked again.
 * @returns whether a node has it
 * @throws ChainFailure when that is not known
 */
export async function send(turn: PayerTurn, transfer: Transfer, transaction: Signed): Promise<boolean> {
  const { node, book, memory } = turn
  const { transferId } = transfer
  const { version } = transaction
  const sent = sentOf(transfer, transaction)
  const key = versionKey(transferId, version)
  if (!memory.sentAt.has(key)) memory.sentAt.set(key, Date.now())
  try {
    await node.broadcast(sent)
  } catch (error) {
    if (!(error instanceof ChainFailure)) throw error
    const { state } = await node.status(sent)
    if (state === 'unknown' || state === 'impossible') {
      if (!error.isRefusal) throw error
      await book.carryOut(transferId, [{ type: 'MarkTransferStuck', transferId, since: new Date().toISOString(), reason: error.code }])
      return false
    }
  }
  await book.carryOut(transferId, [{ type: 'BroadcastTransfer', transferId, version }])
  return true
}

const byNonce = ({ nonce: one }: Transfer, { nonce: other }: Transfer): number =>
  one === null || other === null ? Number(one !== null) - Number(other !== null) : Number(BigInt(one) - BigInt(other))
