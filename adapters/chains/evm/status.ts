import type { SentTransaction, TransactionStatus } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { inclusionOf } from './inclusion.ts'
import { movedTokens } from './moved-tokens.ts'
import { nonceIn } from './nonce-conflict.ts'
import { useOfNonce } from './nonce-use.ts'

/** It has used its nonce, and the node has no receipt of it: not yet, or not any more. */
const FORGOTTEN = 'forgotten'

/** What has become of a transaction. `finality` as `ChainNode` has it. @throws ChainFailure, RpcRefusal */
export async function statusOf(rpc: Rpc, transaction: SentTransaction, finality: number): Promise<TransactionStatus> {
  const told = (call: Call) => statusAt(call, transaction, finality)
  const status = await rpc.ask(told)
  if (status !== FORGOTTEN && status.state !== 'impossible') return status
  // Its funds are somebody's again when it is impossible, so that where others answer one that is behind is not enough.
  const others = await rpc.askAll(told)
  const better = others.find((other) => other !== FORGOTTEN && other.state !== 'impossible')
  if (better) return better
  return status === FORGOTTEN || others.includes(FORGOTTEN) ? { state: 'pending' } : status
}

async function statusAt(call: Call, transaction: SentTransaction, finality: number): Promise<TransactionStatus | typeof FORGOTTEN> {
  const { hash } = transaction
  const included = await inclusionStatus(call, transaction, finality)
  if (included) return included
  if ((await call('eth_getTransactionByHash', [hash])) !== null) return { state: 'pending' }
  const use = await useOfNonce(call, transaction.sender.address, nonceIn(transaction.conflicts), finality)
  if (!use) return { state: 'unknown' }
  // What it was so long ago cannot be found out: it may have been this one, and the node be far behind where it was asked for its receipt.
  if (use.hash === hash || use.hash === null) return FORGOTTEN
  // It may have been mined since it was asked for.
  return (await inclusionStatus(call, transaction, finality)) ?? { state: 'impossible', reason: 'replaced', by: use.hash }
}

async function inclusionStatus(call: Call, transaction: SentTransaction, finality: number): Promise<TransactionStatus | undefined> {
  const inclusion = await inclusionOf(call, transaction.hash)
  if (!inclusion) return undefined
  const { receipt, confirmations } = inclusion
  const moved = receipt.hasSucceeded ? movedTokens(transaction, receipt) : null
  return {
    state: 'included',
    // What has moved nothing has failed, though the token has not said so by reverting.
    outcome: receipt.hasSucceeded && moved?.left !== 0n ? 'succeeded' : 'reverted',
    block: receipt.block,
    confirmations,
    isFinal: confirmations >= finality,
    fee: receipt.fee,
    ...(moved && { moved }),
  }
}
