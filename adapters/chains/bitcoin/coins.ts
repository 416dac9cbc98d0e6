import type { BlockReference } from '../../../domain/ports/chain-node.ts'
import { ChainFailure } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { RpcRefusal } from '../rpc/failures.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { malformed, satoshi, tipOf, UNKNOWN_METHOD } from './core-rpc.ts'

/** An output that blocks have paid to an address, and none has spent. */
export type FoundCoin = {
  readonly txid: string
  readonly index: number
  readonly amount: bigint
  readonly height: bigint
  /** What a miner has made of nothing can be spent 100 blocks later. */
  readonly isCoinbase: boolean
}

export type Coins = { readonly coins: readonly FoundCoin[]; readonly block: BlockReference }

/** Where the unspent outputs of an address are looked up. Amounts are not to be trusted: what is signed proves them, or is worthless when they are wrong. */
export type CoinSource = (address: string) => Promise<Coins>

/** Outputs of one address that are looked at. */
const MAX_COINS = 100_000

/**
 * `scantxoutset` of Bitcoin Core: reads all unspent outputs that there are, one search at a time, without an index or a wallet; a minute or more on the main
 * network. Searches of this process wait for each other.
 */
export function scanningNode(rpc: Rpc): CoinSource {
  let last: Promise<unknown> = Promise.resolve()
  return (address) => {
    const scan = last.then(() => scanAnywhere(rpc, address))
    last = scan.catch(() => {})
    return scan
  }
}

async function scanAnywhere(rpc: Rpc, address: string): Promise<Coins> {
  const work = (call: Call) => scan(call, address)
  try {
    return await rpc.ask(work)
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error
    // Providers that share a node forbid it; an endpoint of one's own may be among the others.
    const others = error.code === UNKNOWN_METHOD ? await rpc.askAll(work).catch(() => []) : []
    if (others[0]) return others[0]
    throw new ChainFailure('chain_unavailable', `no node searches for outputs: ${error.message}`, true)
  }
}

async function scan(call: Call, address: string): Promise<Coins> {
  const answer = Object(await call('scantxoutset', ['start', [`addr(${address})`]])) as { [field: string]: unknown }
  const { success, height, bestblock, unspents } = answer
  if (success !== true || !Number.isSafeInteger(height) || typeof bestblock !== 'string' || !isList(unspents)) throw malformed()
  const coins = unspents.map((unspent) =>
    coin(unspent.txid, unspent.vout, satoshi(unspent.amount), unspent.height, unspent.coinbase === true),
  )
  return { coins, block: { height: BigInt(height as number), hash: bestblock } }
}

/** `GET /address/:address/utxo` of Esplora, which has an index of addresses; the newest block is what the nodes say, before and after alike. */
export function esplora(url: string, rpc: Rpc, timeoutMs: number): CoinSource {
  const ATTEMPTS = 3
  return async (address) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const block = await rpc.ask(tipOf)
      const coins = await fetchCoins(`${url}/address/${address}/utxo`, timeoutMs)
      if ((await rpc.ask(tipOf)).hash === block.hash) return { coins, block }
    }
    throw new ChainFailure('chain_unavailable', 'blocks come faster than outputs can be asked for', true)
  }
}

async function fetchCoins(url: string, timeoutMs: number): Promise<readonly FoundCoin[]> {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    const unspents: unknown = response.ok ? await response.json() : undefined
    if (!isList(unspents)) throw malformed()
    return unspents
      .filter(({ status }) => Object(status).confirmed === true)
      .map(({ txid, vout, value, status }) => coin(txid, vout, wholeSatoshi(value), Object(status).block_height, false))
  } catch {
    throw new ChainFailure('chain_unavailable', 'the index of addresses does not answer', true)
  }
}

function coin(txid: unknown, index: unknown, amount: bigint, height: unknown, isCoinbase: boolean): FoundCoin {
  if (typeof txid !== 'string' || !/^[0-9a-f]{64}$/.test(txid) || !Number.isSafeInteger(index) || !Number.isSafeInteger(height))
    throw malformed()
  return { txid, index: index as number, amount, height: BigInt(height as number), isCoinbase }
}

function wholeSatoshi(value: unknown): bigint {
  if (!Number.isSafeInteger(value)) throw malformed()
  return BigInt(value as number)
}

const isList = (value: unknown): value is readonly { readonly [field: string]: unknown }[] =>
  Array.isArray(value) && value.length <= MAX_COINS
