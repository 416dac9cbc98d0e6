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
 * @returns whether the chain is to be asked what has become of any
 * @throws ChainFailure when it is not known whether a node has one
 */
export async function sendTransactions(turn: PayerTurn): Promise<boolean> {
  const { book } = turn
  if (book.wallet().status === 'frozen') return false
  let isLookDue = false
  for (const transfer of book.transfers().toSorted(byNonce)) {
    if (transfer.mined) continue
    const latest = latestOf(transfer)
    if (isSigned(latest)) {
      if (latest.isBroadcast) continue
      isLookDue = (await send(turn, transfer, latest)) || isLookDue
    }
    // What can only be mined after this one waits for it, unless nobody knows for how long.
    else if (transfer.nonce !== null && transfer.status !== 'stuck') break
  }
  return isLookDue
}

/**
 * Sends a transaction that is signed, again or for the first time: always the same bytes, which can move the money only once. What the chain surely did not take is
 * told by it when it is asked again. Where its nonce is used already, the transaction in whose place it was to be may be in a block.
 * @returns whether the chain is to be asked what has become of it
 * @throws ChainFailure when it is not known whether a node has it
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
    if (state === 'impossible' || (state === 'unknown' && error.code === 'nonce_too_low')) return true
    if (state === 'unknown') {
      if (!error.isRefusal) throw error
      // What is made in the place of this one is not held up by it.
      if (latestOf(transfer)?.version !== version) return false
      await book.carryOut(transferId, [{ type: 'MarkTransferStuck', transferId, since: new Date().toISOString(), reason: error.code }])
      return false
    }
  }
  await book.carryOut(transferId, [{ type: 'BroadcastTransfer', transferId, version }])
  return true
}

export const byNonce = ({ nonce: one }: Transfer, { nonce: other }: Transfer): number =>
  one === null || other === null ? Number(one !== null) - Number(other !== null) : Number(BigInt(one) - BigInt(other))
