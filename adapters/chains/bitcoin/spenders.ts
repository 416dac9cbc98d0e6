import type { SentTransaction } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { blockOf, hashAt, isUnspent, tipOf } from './core-rpc.ts'

/** Blocks that are read at a time in search of a spender; the next time goes on from there. */
const BLOCKS_AT_A_TIME = 20
const REMEMBERED_SEARCHES = 1_000

/**
 * Finds which transaction, in a final block, has spent what this one spends: so it can never be mined any more. Nodes tell that an output is spent, not by
 * which; the blocks since it was built do, as it was there to be spent then.
 * @returns a search, that gives the txid of the spender, or undefined as long as none is found
 */
export function spenderSearch(finality: number): (call: Call, transaction: SentTransaction) => Promise<string | undefined> {
  /** The next height to look at, by txid of what is searched for. */
  const searches = new Map<string, bigint>()

  return async (call, { hash, conflicts, validity }) => {
    const outputs = conflicts.map((conflict) => conflict.slice('input:'.length))
    if (validity === null || !(await isAnySpent(call, outputs))) return undefined
    const newestFinal = (await tipOf(call)).height - BigInt(finality) + 1n
    // A reorganisation may have brought it lower than it could be when it was built.
    const first = BigInt(validity) - BigInt(finality)
    let height = searches.get(hash) ?? (first > 0n ? first : 0n)
    for (let read = 0; read < BLOCKS_AT_A_TIME && height <= newestFinal; read++, height++) {
      const blockHash = await hashAt(call, height)
      if (blockHash === undefined) break
      const { transactions } = await blockOf(call, blockHash)
      const spender = transactions.find(({ spends }) => spends.some(({ txid, index }) => outputs.includes(`${txid}:${index}`)))
      if (spender) return spender.txid === hash ? undefined : spender.txid
    }
    remember(hash, height)
    return undefined
  }

  function remember(hash: string, height: bigint): void {
    searches.delete(hash)
    searches.set(hash, height)
    if (searches.size > REMEMBERED_SEARCHES) searches.delete(searches.keys().next().value!)
  }
}

async function isAnySpent(call: Call, outputs: readonly string[]): Promise<boolean> {
  for (const output of outputs) {
    const [txid = '', index] = output.split(':')
    if (!(await isUnspent(call, txid, Number(index)))) return true
  }
  return false
}
