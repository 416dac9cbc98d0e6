import type { Call } from '../rpc/endpoint.ts'
import { readHash, readList, readObject, readQuantity, toQuantity } from './answers.ts'

/** Nodes that are no archives keep the state of the last 128 blocks. */
const MAX_DEPTH = 120

/** A transaction of the account that is in a final block; its hash is null when that was longer ago than nodes remember how far accounts had counted. */
export type NonceUse = { readonly hash: string | null }

/**
 * What has used a nonce of the account, as a final block has it. That the count of the account is further on says only that something has: it may be the very
 * transaction that a node has no receipt of yet, or has forgotten.
 * @returns undefined when nothing has
 */
export async function useOfNonce(call: Call, address: string, nonce: bigint, finality: number): Promise<NonceUse | undefined> {
  const isUsedAt = async (height: bigint) => readQuantity(await call('eth_getTransactionCount', [address, toQuantity(height)])) > nonce
  const head = readQuantity(await call('eth_blockNumber'))
  let used = head - BigInt(Math.min(Math.max(finality - 1, 0), MAX_DEPTH))
  if (used < 0n || !(await isUsedAt(used))) return undefined
  let unused = head < MAX_DEPTH ? -1n : head - BigInt(MAX_DEPTH)
  if (unused >= 0n && (await isUsedAt(unused))) return { hash: null }
  while (used - unused > 1n) {
    const middle = (used + unused) / 2n
    if (await isUsedAt(middle)) used = middle
    else unused = middle
  }
  const block = readObject(await call('eth_getBlockByNumber', [toQuantity(used), true]))
  const found = readList(block.transactions)
    .map(readObject)
    .find((each) => String(each.from).toLowerCase() === address.toLowerCase() && readQuantity(each.nonce) === nonce)
  // The chain has moved on in the middle of this.
  return found && { hash: readHash(found.hash) }
}
