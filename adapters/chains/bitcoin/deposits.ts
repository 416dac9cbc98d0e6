import { RawTx } from '@scure/btc-signer/script.js'
import type { BTC_NETWORK } from '@scure/btc-signer/utils.js'
import type { BlockReference, Deposit, Deposits } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { isCoinbase, type MinedTransaction } from './block.ts'
import { blockOf, hashAt, lookUp, malformed, tipOf } from './core-rpc.ts'
import { addressPaidBy } from './output-script.ts'

/** Blocks read at a time, each of up to four megabytes. */
const BLOCKS_AT_A_TIME = 10
/** Blocks whose hashes the cursor has: a longer reorganisation is found by its depth at a time. */
const REMEMBERED_BLOCKS = 100

/** The last block that was read, and the hashes of it and those before it. */
type Cursor = { readonly height: bigint; readonly hashes: readonly string[] }

/** As `ChainNode.deposits`, as one node tells it. */
export async function readDeposits(
  call: Call,
  { asset, network }: { readonly asset: string; readonly network: BTC_NETWORK },
  addresses: ReadonlySet<string>,
  text: string | null,
): Promise<Deposits> {
  const tip = await tipOf(call)
  let cursor = text === null ? { height: tip.height - 1n, hashes: [] } : await commonBlock(call, tip.height, readCursor(text))
  const found: Deposit[] = []
  for (let read = 0; read < BLOCKS_AT_A_TIME && cursor.height < tip.height; read++) {
    const block = { height: cursor.height + 1n, hash: await hashAt(call, cursor.height + 1n) }
    if (block.hash === undefined) break
    const { previous, transactions } = await blockOf(call, block.hash)
    if (cursor.hashes.length > 0 && previous !== cursor.hashes[0]) break
    for (const transaction of transactions)
      found.push(...(await depositsIn(call, transaction, block as BlockReference, { asset, network }, addresses)))
    cursor = { height: block.height, hashes: [block.hash, ...cursor.hashes].slice(0, REMEMBERED_BLOCKS) }
  }
  const { height } = cursor
  return { found, cursor: JSON.stringify({ ...cursor, height: String(height) }), height, isAtHead: height >= tip.height }
}

/** The cursor, or where the chain that it was read in and that of the node part. A node that is only behind has the same block at its height. */
async function commonBlock(call: Call, tip: bigint, cursor: Cursor): Promise<Cursor> {
  const behind = cursor.height > tip ? Number(cursor.height - tip) : 0
  for (const [depth, hash] of cursor.hashes.entries()) {
    if (depth < behind) continue
    const height = cursor.height - BigInt(depth)
    if ((await hashAt(call, height)) === hash)
      return depth === behind && behind > 0 ? cursor : { height, hashes: cursor.hashes.slice(depth) }
  }
  const oldest = cursor.height - BigInt(cursor.hashes.length)
  return { height: oldest < 0n ? -1n : oldest, hashes: [] }
}

/**
 * What a transaction pays to the addresses. What comes back to the address that the first input spends from is change: nobody but its owner could have
 * spent that, and ours never sign with inputs of others.
 */
async function depositsIn(
  call: Call,
  transaction: MinedTransaction,
  block: BlockReference,
  { asset, network }: { readonly asset: string; readonly network: BTC_NETWORK },
  addresses: ReadonlySet<string>,
): Promise<readonly Deposit[]> {
  const { txid, pays } = transaction
  const paid = pays.flatMap(({ script, amount }, index) => {
    const to = addressPaidBy(network, script)
    return to !== undefined && addresses.has(to) && amount > 0n ? [{ to, amount, index }] : []
  })
  if (paid.length === 0) return []
  const from = await payerOf(call, network, transaction)
  return paid
    .filter(({ to }) => to !== from)
    .map(({ to, amount, index }) => ({ id: `${txid}:${index}`, hash: txid, to, asset, amount, from, block }))
}

/** Whom the first input was paid to; null when that has no address, or there is none. */
async function payerOf(call: Call, network: BTC_NETWORK, transaction: MinedTransaction): Promise<string | null> {
  const [spent] = transaction.spends
  if (!spent || isCoinbase(transaction)) return null
  const before = await lookUp(call, spent.txid)
  const output = before && RawTx.decode(before.raw).outputs[spent.index]
  if (!output) throw malformed()
  return addressPaidBy(network, output.script) ?? null
}

function readCursor(text: string): Cursor {
  const { height, hashes } = JSON.parse(text) as { height: string; hashes: string[] }
  return { height: BigInt(height), hashes }
}
