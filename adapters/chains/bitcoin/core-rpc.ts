import { hexToBytes } from '@noble/hashes/utils.js'
import type { BlockReference } from '../../../domain/ports/chain-node.ts'
import type { Call, Nodes } from '../rpc/endpoint.ts'
import { EndpointFailure, RpcRefusal } from '../rpc/failures.ts'
import { type Block, readBlock } from './block.ts'
import { txidOf, withoutWitnesses } from './psbt.ts'

/** Error codes of Bitcoin Core (`src/rpc/protocol.h`). */
const NOT_CONNECTED = -9
const DOWNLOADING = -10
const WARMING_UP = -28
export const UNKNOWN_METHOD = -32601
export const INVALID_ADDRESS_OR_KEY = -5
const INVALID_PARAMETER = -8

export const bitcoinNodes: Nodes = {
  identify: async (call) => `bip122:${hashIn(await call('getblockhash', [0])).slice(0, 32)}`,
  isUnable: ({ code, message }) => [NOT_CONNECTED, DOWNLOADING, WARMING_UP].includes(code) || /pruned data/.test(message),
}

/** An amount of bitcoins as nodes write it. A double holds every amount there can be to less than half a satoshi. */
export function satoshi(amount: unknown): bigint {
  if (typeof amount !== 'number' || !(amount >= 0 && amount <= 21_000_000)) throw malformed()
  return BigInt(Math.round(amount * 1e8))
}

/** The newest block. */
export async function tipOf(call: Call): Promise<BlockReference> {
  const hash = hashIn(await call('getbestblockhash'))
  return { height: (await headerOf(call, hash)).height, hash }
}

/** The hash of the block at a height; undefined when the chain is not as long. */
export async function hashAt(call: Call, height: bigint): Promise<string | undefined> {
  try {
    return hashIn(await call('getblockhash', [Number(height)]))
  } catch (error) {
    if (error instanceof RpcRefusal && error.code === INVALID_PARAMETER) return undefined
    throw error
  }
}

/** Confirmations are -1 when the block is not in the chain any more. */
export async function headerOf(call: Call, hash: string): Promise<{ readonly height: bigint; readonly confirmations: number }> {
  const { height, confirmations } = Object(await call('getblockheader', [hash, true])) as { height?: unknown; confirmations?: unknown }
  if (!Number.isSafeInteger(height) || !Number.isSafeInteger(confirmations)) throw malformed()
  return { height: BigInt(height as number), confirmations: confirmations as number }
}

/** As `ChainNode.depth`, as one node tells it. */
export async function depthOf(call: Call, { height, hash }: BlockReference): Promise<number | null> {
  const found = await hashAt(call, height)
  // The node has not come as far: what it does not know is not undone.
  if (found === undefined) throw new EndpointFailure('unable', false)
  return found === hash ? Math.max(1, (await headerOf(call, hash)).confirmations) : null
}

export async function blockOf(call: Call, hash: string): Promise<Block> {
  const bytes = bytesIn(await call('getblock', [hash, 0]))
  try {
    return readBlock(bytes, hash)
  } catch (error) {
    if (error instanceof RangeError) throw malformed()
    throw error
  }
}

/** `blockHash` is null, and `confirmations` none, while it waits in the mempool. */
export type KnownTransaction = { readonly raw: Uint8Array; readonly blockHash: string | null; readonly confirmations: number }

/**
 * A transaction in the mempool or in the chain; undefined when the node does not know it, or only from a block that the chain has left. Fees, and what can never
 * be mined any more, are told from it: a node that hands out another one is not believed.
 */
export async function lookUp(call: Call, txid: string): Promise<KnownTransaction | undefined> {
  const found = await unlessUnknown(call('getrawtransaction', [txid, true]))
  if (found === undefined) return undefined
  const { hex, blockhash, confirmations } = Object(found) as { hex?: unknown; blockhash?: unknown; confirmations?: unknown }
  const raw = bytesIn(hex)
  if (txidIn(raw) !== txid) throw malformed()
  if (blockhash === undefined) return { raw, blockHash: null, confirmations: 0 }
  if (typeof confirmations !== 'number' || confirmations < 1) return undefined
  return { raw, blockHash: hashIn(blockhash), confirmations }
}

/** Whether an output is there, and no block has spent it. */
export async function isUnspent(call: Call, txid: string, index: number): Promise<boolean> {
  return (await call('gettxout', [txid, index, false])) !== null
}

/** The node gives another answer than it may. */
export const malformed = () => new EndpointFailure('malformed_answer', false)

async function unlessUnknown(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof RpcRefusal && error.code === INVALID_ADDRESS_OR_KEY) return undefined
    throw error
  }
}

function hashIn(value: unknown): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw malformed()
  return value
}

function txidIn(raw: Uint8Array): string | undefined {
  try {
    return txidOf(withoutWitnesses(raw))
  } catch {
    return undefined
  }
}

function bytesIn(value: unknown): Uint8Array {
  if (typeof value !== 'string' || value.length % 2 !== 0 || !/^[0-9a-f]*$/.test(value)) throw malformed()
  return hexToBytes(value)
}
