import type { SentTransaction } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { blockOf, hashAt, isUnspent, tipOf } from './core-rpc.ts'
import { type Lineage, readLineage } from './lineage.ts'

/** What has become of an output that a transaction spends. `goneBy`: a transaction in a final block because of which that one can never spend it any more. */
export type SpentOutput = { readonly isThere: boolean; readonly goneBy: string | undefined }

/** The outputs of a transaction that is in no block, in their order; none of them is `goneBy` anything as long as all are there. */
export type SpenderSearch = (
  call: Call,
  transaction: Pick<SentTransaction, 'hash' | 'conflicts' | 'validity'>,
) => Promise<readonly SpentOutput[]>

/** Blocks that are read at a time in search of spenders; the next time goes on from there. */
const BLOCKS_AT_A_TIME = 20
const REMEMBERED_SEARCHES = 1_000

/** Up to which height was looked, and which transactions were found to spend what is looked for. */
type Progress = { next: bigint; readonly spenders: Map<string, string> }

/**
 * Finds what has spent, in final blocks, what a transaction spends, or what that stems from: so it can never be mined any more. Nodes tell that an output is not
 * there, not why; the blocks since the transaction was built do, as it was there then.
 */
export function spenderSearch(finality: number): SpenderSearch {
  /** By txid of what is searched for. */
  const searches = new Map<string, Progress>()

  return async (call, { hash, conflicts, validity }) => {
    const outputs = conflicts.map((conflict) => conflict.slice('input:'.length))
    const areThere = await Promise.all(outputs.map((output) => isOutputThere(call, output)))
    if (validity === null || areThere.every((isThere) => isThere)) return areThere.map((isThere) => ({ isThere, goneBy: undefined }))
    const lineage = readLineage(validity)
    const newestFinal = (await tipOf(call)).height - BigInt(finality) + 1n
    const progress = searches.get(hash) ?? { next: firstHeight(lineage, finality), spenders: new Map<string, string>() }
    const sought = new Set([...outputs, ...Object.values(lineage.young).flat()])
    for (let read = 0; read < BLOCKS_AT_A_TIME && progress.next <= newestFinal; read++, progress.next++) {
      const blockHash = await hashAt(call, progress.next)
      if (blockHash === undefined) break
      for (const { txid, spends } of (await blockOf(call, blockHash)).transactions)
        for (const spent of spends) {
          const output = `${spent.txid}:${spent.index}`
          if (sought.has(output)) progress.spenders.set(output, txid)
        }
    }
    remember(hash, progress)
    return outputs.map((output, place) => ({ isThere: areThere[place]!, goneBy: goneBy(output, hash, lineage, progress.spenders) }))
  }

  function remember(hash: string, progress: Progress): void {
    searches.delete(hash)
    searches.set(hash, progress)
    if (searches.size > REMEMBERED_SEARCHES) searches.delete(searches.keys().next().value!)
  }
}

/** A reorganisation may have brought it lower than it could be when it was built. */
function firstHeight({ height }: Lineage, finality: number): bigint {
  const first = height - BigInt(finality)
  return first > 0n ? first : 0n
}

/** What keeps a transaction from spending an output for ever: another one has, or the one that would have made the output is kept from it likewise. */
function goneBy(output: string, by: string, { young }: Pick<Lineage, 'young'>, spenders: ReadonlyMap<string, string>): string | undefined {
  const spender = spenders.get(output)
  if (spender !== undefined) return spender === by ? undefined : spender
  const [txid = ''] = output.split(':')
  for (const before of young[txid] ?? []) {
    const found = goneBy(before, txid, { young }, spenders)
    if (found !== undefined) return found
  }
  return undefined
}

function isOutputThere(call: Call, output: string): Promise<boolean> {
  const [txid = '', index] = output.split(':')
  return isUnspent(call, txid, Number(index))
}
