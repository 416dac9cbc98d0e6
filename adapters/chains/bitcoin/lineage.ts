import { RawTx } from '@scure/btc-signer/script.js'
import type { Rpc } from '../rpc/rpc.ts'
import { several } from '../rpc/several.ts'
import type { Coins } from './coins.ts'
import { lookUp } from './core-rpc.ts'
import type { Coin } from './psbt.ts'

/** What a transaction stems from, as far as a reorganisation could take that away. */
export type Lineage = {
  /** Its inputs were there to be spent. */
  readonly height: bigint
  /** By txid, what those transactions spend that its inputs stem from and that were not final: `<txid>:<index>`. */
  readonly young: { readonly [txid: string]: readonly string[] }
}

/** Transactions that are looked up. What stems from more is known in part: that it is gone may then be seen by nobody. */
const MOST_LOOKED_UP = 100
/** Outputs that are remembered. */
const MOST_SPENT = 500
const AT_ONCE = 8

type Surroundings = { readonly rpc: Rpc; readonly finality: number }

/** The lineage of what spends these inputs, as text that is kept with the transaction. */
export async function lineageOf({ rpc, finality }: Surroundings, inputs: readonly Coin[], { coins, block }: Coins): Promise<string> {
  const young: { [txid: string]: readonly string[] } = {}
  const isYoung = ({ txid, index }: Coin) => {
    const coin = coins.find((each) => each.txid === txid && each.index === index)
    return coin !== undefined && block.height - coin.height + 1n < BigInt(finality)
  }
  const seen = new Set<string>()
  let spent = 0
  let next = inputs.filter(isYoung).map(({ txid }) => txid)
  while (next.length > 0) {
    const some = [...new Set(next)].filter((txid) => !seen.has(txid)).slice(0, MOST_LOOKED_UP - seen.size)
    next = []
    for (const txid of some) seen.add(txid)
    const found = await rpc.ask((call) => several(AT_ONCE, some, (txid) => lookUp(call, txid)))
    for (const [place, known] of found.entries()) {
      if (!known || known.confirmations >= finality) continue
      const spends = RawTx.decode(known.raw).inputs.map(({ txid, index }) => ({ txid: Buffer.from(txid).toString('hex'), index }))
      if (spent + spends.length > MOST_SPENT) continue
      spent += spends.length
      young[some[place]!] = spends.map(({ txid, index }) => `${txid}:${index}`)
      next.push(...spends.map(({ txid }) => txid))
    }
  }
  return JSON.stringify({ height: String(block.height), young })
}

/** Earlier ones are the height alone. */
export function readLineage(text: string): Lineage {
  const { height = text, young = {} } = Object(JSON.parse(text)) as { height?: string; young?: Lineage['young'] }
  return { height: BigInt(height), young }
}
