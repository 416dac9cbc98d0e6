import type { FeeLevel } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { RpcRefusal } from '../rpc/failures.ts'
import { satoshi } from './core-rpc.ts'

/** Satoshi per 1,000 virtual bytes. */
export type Rates = {
  readonly wanted: bigint
  /** By how much a replacement has to outbid what it replaces (BIP-125, rule 4). */
  readonly increment: bigint
}

/** Blocks within which it is to be mined, and how to guess (`estimatesmartfee`); `multiple` is of the least that is relayed, for a node that cannot tell. */
const LEVELS: { readonly [Level in FeeLevel]: { readonly blocks: number; readonly mode: string; readonly multiple: bigint } } = {
  low: { blocks: 36, mode: 'economical', multiple: 1n },
  normal: { blocks: 6, mode: 'economical', multiple: 2n },
  high: { blocks: 2, mode: 'conservative', multiple: 5n },
}
/** 1,000 satoshi per virtual byte: no estimate beyond it is believed. */
const HIGHEST = 1_000_000n

/** What the node's mempool wants for a fee, now. */
export async function ratesOf(call: Call, level: FeeLevel): Promise<Rates> {
  const { blocks, mode, multiple } = LEVELS[level]
  const [estimate, pool, network] = await Promise.all([
    call('estimatesmartfee', [blocks, mode]).catch((error) => {
      // Without enough blocks to learn from some nodes answer with an error.
      if (error instanceof RpcRefusal) return {}
      throw error
    }),
    call('getmempoolinfo'),
    call('getnetworkinfo'),
  ])
  const { feerate } = estimate as { feerate?: number }
  const { mempoolminfee } = pool as { mempoolminfee: number }
  const { relayfee, incrementalfee } = network as { relayfee: number; incrementalfee?: number }
  const least = larger(satoshi(mempoolminfee), satoshi(relayfee))
  const guessed = typeof feerate === 'number' && feerate > 0 ? satoshi(feerate) : least * multiple
  return { wanted: smaller(larger(guessed, least), larger(HIGHEST, least)), increment: satoshi(incrementalfee ?? relayfee) }
}

/** What so many virtual bytes cost, rounded up. */
export const costOf = (rate: bigint, virtualBytes: bigint): bigint => (rate * virtualBytes + 999n) / 1_000n

const larger = (a: bigint, b: bigint) => (a > b ? a : b)
const smaller = (a: bigint, b: bigint) => (a < b ? a : b)
