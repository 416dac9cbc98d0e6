import type { BlockReference } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { EndpointFailure } from '../rpc/failures.ts'
import { type Receipt, readBlock, readQuantity, readReceipt, toQuantity } from './answers.ts'

/** A receipt with the number of blocks from its own to the newest, both counted. */
export type Inclusion = { readonly receipt: Receipt; readonly confirmations: number }

/** Null for a transaction that is in no block of the chain as it is now: some providers remember receipts of blocks that are not in it any more. */
export async function inclusionOf(call: Call, hash: string): Promise<Inclusion | null> {
  const receipt = readReceipt(await call('eth_getTransactionReceipt', [hash]))
  if (receipt === null || !(await isInChain(call, receipt.block))) return null
  return { receipt, confirmations: await blocksFrom(call, receipt.block.height) }
}

/** As `ChainNode.depth`, as one node tells it. */
export async function depthOf(call: Call, { height, hash }: BlockReference): Promise<number | null> {
  const block = await blockAt(call, height)
  // The node has not come as far: what it does not know is not undone.
  if (block === null) throw new EndpointFailure('unable', false)
  return block.hash === hash ? blocksFrom(call, height) : null
}

async function blocksFrom(call: Call, height: bigint): Promise<number> {
  const head = readQuantity(await call('eth_blockNumber'))
  // Behind one address there may be a node that is a block behind.
  return head < height ? 1 : Number(head - height) + 1
}

export async function isInChain(call: Call, { height, hash }: BlockReference): Promise<boolean> {
  return (await blockAt(call, height))?.hash === hash
}

const blockAt = async (call: Call, height: bigint) => readBlock(await call('eth_getBlockByNumber', [toQuantity(height), false]))
