import type { BTC_NETWORK } from '@scure/btc-signer/utils.js'
import { equalBytes } from '@scure/btc-signer/utils.js'
import type { Call } from '../rpc/endpoint.ts'
import { rememberAnswers } from '../rpc/remembered.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { type Block, isCoinbase } from './block.ts'
import type { CoinSource, Coins, FoundCoin } from './coins.ts'
import { blockOf, hashAt, tipOf } from './core-rpc.ts'
import { scriptOf } from './output-script.ts'

/** So many blocks are read instead of searching once more. */
const MOST_BLOCKS = 50
const REMEMBERED_ADDRESSES = 1_000
const REMEMBERED_BLOCKS = 4

/** Searches for the outputs of an address once, and then reads what the blocks since then have done to them; after a reorganisation it searches again. */
export function followingBlocks(rpc: Rpc, network: BTC_NETWORK, search: CoinSource): CoinSource {
  /** What was found last; or is being looked for, which others then wait for. */
  const known = new Map<string, Promise<Coins>>()
  const blocks = rememberAnswers<Block>(REMEMBERED_BLOCKS)

  async function upToDate(address: string, last: Promise<Coins> | undefined): Promise<Coins> {
    const before = await last?.catch(() => undefined)
    return (before && (await rpc.ask((call) => followed(call, scriptOf(network, address), before)))) ?? search(address)
  }

  /** Undefined when the block that it was found at is not, or long not, below the newest. */
  async function followed(call: Call, script: Uint8Array, before: Coins): Promise<Coins | undefined> {
    const tip = await tipOf(call)
    if (tip.height > before.block.height + BigInt(MOST_BLOCKS)) return undefined
    let { coins, block } = before
    while (block.height < tip.height) {
      const height = block.height + 1n
      const hash = await hashAt(call, height)
      if (hash === undefined) return undefined
      const read = await blocks.get(
        hash,
        () => blockOf(call, hash),
        () => true,
      )
      if (read.previous !== block.hash) return undefined
      coins = after(coins, read, height, script)
      block = { height, hash }
    }
    return block.hash === tip.hash ? { coins, block } : undefined
  }

  return (address) => {
    const coins = upToDate(address, known.get(address))
    known.delete(address)
    known.set(address, coins)
    if (known.size > REMEMBERED_ADDRESSES) known.delete(known.keys().next().value!)
    return coins
  }
}

/** What a block leaves of the outputs of an address, and adds to them. */
function after(coins: readonly FoundCoin[], { transactions }: Block, height: bigint, script: Uint8Array): readonly FoundCoin[] {
  const paid = transactions.flatMap((transaction) =>
    transaction.pays.flatMap(({ script: paidTo, amount }, index) =>
      equalBytes(paidTo, script) ? [{ txid: transaction.txid, index, amount, height, isCoinbase: isCoinbase(transaction) }] : [],
    ),
  )
  if (coins.length === 0 && paid.length === 0) return coins
  const spent = new Set(transactions.flatMap(({ spends }) => spends.map(({ txid, index }) => `${txid}:${index}`)))
  return [...coins, ...paid].filter(({ txid, index }) => !spent.has(`${txid}:${index}`))
}
