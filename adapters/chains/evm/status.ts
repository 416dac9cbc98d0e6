import type { SentTransaction, TransactionStatus } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { readQuantity, toQuantity } from './answers.ts'
import { inclusionOf } from './inclusion.ts'
import { movedTokens } from './moved-tokens.ts'
import { nonceIn } from './nonce-conflict.ts'

/** Nodes that are no archives keep the state of the last 128 blocks. */
const MAX_DEPTH = 120

/** What has become of a transaction. `finality` as `ChainNode` has it. @throws ChainFailure, RpcRefusal */
export async function statusOf(rpc: Rpc, transaction: SentTransaction, finality: number): Promise<TransactionStatus> {
  const told = (call: Call) => statusAt(call, transaction, finality)
  const status = await rpc.ask(told)
  if (status.state !== 'impossible') return status
  // Its funds are somebody's again after this, so that where others answer one that is behind is not enough.
  return (await rpc.askAll(told)).find(({ state }) => state !== 'impossible') ?? status
}

async function statusAt(call: Call, transaction: SentTransaction, finality: number): Promise<TransactionStatus> {
  const { hash } = transaction
  const included = await inclusionStatus(call, transaction, finality)
  if (included) return included
  if ((await call('eth_getTransactionByHash', [hash])) !== null) return { state: 'pending' }
  if (!(await isNonceSpent(call, transaction, finality))) return { state: 'unknown' }
  // It may have been mined since it was asked for.
  return (await inclusionStatus(call, transaction, finality)) ?? { state: 'impossible', reason: 'replaced', by: null }
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

/** Whether a block that is final has a transaction of the account with this nonce. */
async function isNonceSpent(call: Call, { sender, conflicts }: SentTransaction, finality: number): Promise<boolean> {
  const depth = Math.min(Math.max(finality - 1, 0), MAX_DEPTH)
  const final = readQuantity(await call('eth_blockNumber')) - BigInt(depth)
  if (final < 0n) return false
  return readQuantity(await call('eth_getTransactionCount', [sender.address, toQuantity(final)])) > nonceIn(conflicts)
}
