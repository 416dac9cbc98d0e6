import type { SentTransaction, TransactionStatus } from '../../../domain/ports/chain-node.ts'
import { nonceIn } from './accounts.ts'
import { type Cluster, gainOf, type MinedTransaction } from './cluster.ts'
import { decodeMessage } from './message.ts'
import { decodeValidity } from './validity.ts'

/** One byte for the count of signatures, which is one, and 64 of that. */
const MESSAGE_AT = 65

/** What has become of a transaction; it is final when the cluster says so, and is `finality` slots deep. */
export async function statusOf(cluster: Cluster, transaction: SentTransaction, finality: number): Promise<TransactionStatus> {
  const { hash, raw } = transaction
  const { state, at } = await cluster.signature(hash)
  if (!state) return outlook(cluster, transaction)
  const mined = state.isConfirmed ? await cluster.transaction(hash) : null
  const blockhash = mined && (await cluster.blockhash(mined.slot))
  if (!mined || !blockhash) return { state: 'pending' }
  const confirmations = depth(mined.slot, at)
  return {
    state: 'included',
    outcome: mined.hasFailed ? 'reverted' : 'succeeded',
    block: { height: mined.slot, hash: blockhash },
    confirmations,
    isFinal: state.isFinal && confirmations >= finality,
    fee: spent(mined) - (mined.hasFailed ? 0n : coinsMoved(raw)),
  }
}

/** Slots from that one to the newest, both counted. */
export const depth = (slot: bigint, newest: bigint): number => (newest < slot ? 1 : Number(newest - slot) + 1)

/** Whether what a node does not know of can still be mined. */
async function outlook(cluster: Cluster, { hash, sender, validity }: SentTransaction): Promise<TransactionStatus> {
  const valid = decodeValidity(validity)
  if ('nonceAccount' in valid) {
    const nonce = await nonceIn(cluster, valid.nonceAccount, sender.address, 'finalized')
    if (nonce === undefined || nonce === valid.nonce) return { state: 'unknown' }
  }
  const final = await cluster.finalBlock()
  if ('lastHeight' in valid && final.height <= valid.lastHeight) return { state: 'unknown' }
  // Asked once more, of a node that is at least as far: what has just been mined, by which the nonce is used, too, must not be taken for lost.
  const { state, at } = await cluster.signature(hash)
  if (state) return { state: 'pending' }
  if (at < final.slot) return { state: 'unknown' }
  return { state: 'impossible', reason: 'lastHeight' in valid ? 'expired' : 'replaced', by: null }
}

/** Lamports that the sender, whose account is the first, has less of. */
const spent = (mined: MinedTransaction) => -gainOf(mined, 0)

function coinsMoved(raw: Uint8Array): bigint {
  const transfer = decodeMessage(raw.subarray(MESSAGE_AT)).steps.find((step) => step.kind === 'transfer')
  return transfer?.lamports ?? 0n
}
