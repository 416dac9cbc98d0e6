import { RawTx } from '@scure/btc-signer/script.js'
import type { BTC_NETWORK } from '@scure/btc-signer/utils.js'
import type { Chain } from '../../../domain/ports/chain.ts'
import { ChainFailure, type ChainNode, type SentTransaction, type TransactionStatus } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { RpcRefusal } from '../rpc/failures.ts'
import { rememberAnswers } from '../rpc/remembered.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { standingOf } from '../rpc/standing.ts'
import { failureOf } from './broadcast.ts'
import { buildTransaction, quoteFor } from './building.ts'
import type { CoinSource } from './coins.ts'
import { depthOf, headerOf, lookUp, malformed } from './core-rpc.ts'
import { readDeposits } from './deposits.ts'
import { spenderSearch } from './spenders.ts'

export type BitcoinNodeOptions = {
  readonly chain: Chain
  readonly network: BTC_NETWORK
  readonly rpc: Rpc
  readonly coinsOf: CoinSource
  readonly confirmations: number
  readonly finality: number
  readonly pollMs: number
}

const REMEMBERED_FEES = 10_000
/** Of several nodes, the one that has seen most is believed; that it is impossible has to be said by all. */
const LIKELIEST: readonly TransactionStatus['state'][] = ['included', 'pending', 'unknown']

/** Bitcoin as nodes tell it that speak Bitcoin Core's JSON-RPC, with `txindex=1`. */
export function bitcoinNode(options: BitcoinNodeOptions): ChainNode {
  const { chain, network, coinsOf, confirmations, finality, pollMs } = options
  const rpc = withoutRefusals(options.rpc)
  const fees = rememberAnswers<bigint>(REMEMBERED_FEES)
  const search = spenderSearch(finality)

  /** What one node says of it. */
  async function statusAt(call: Call, transaction: SentTransaction): Promise<TransactionStatus> {
    const known = await lookUp(call, transaction.hash)
    if (!known) {
      const outputs = await search(call, transaction)
      // What is there still, or may come back, is kept for this transfer by those who have signed: a cancellation is to bring it home first.
      if (!outputs.every(({ goneBy }) => goneBy !== undefined)) return { state: 'unknown' }
      return { state: 'impossible', reason: 'replaced', by: outputs[0]?.goneBy ?? null }
    }
    if (known.blockHash === null) return { state: 'pending' }
    const { height, confirmations } = await headerOf(call, known.blockHash)
    if (confirmations < 1) return { state: 'unknown' }
    return {
      state: 'included',
      outcome: 'succeeded',
      block: { height, hash: known.blockHash },
      confirmations,
      isFinal: confirmations >= finality,
      fee: await fees.get(
        transaction.hash,
        () => feeOf(call, transaction.raw),
        () => true,
      ),
    }
  }

  /** Sent by somebody before, or mined by now: what refuses it then is no failure. When nobody answers that stays open. */
  async function isThere({ hash }: SentTransaction): Promise<boolean> {
    try {
      return (await rpc.askAll((call) => lookUp(call, hash))).some((known) => known !== undefined)
    } catch (error) {
      throw error instanceof ChainFailure ? new ChainFailure('chain_unavailable', error.message, false) : error
    }
  }

  return {
    chain: chain.id,
    confirmations,
    finality,
    pollMs,
    quote: (wanted) => quoteFor({ ...options, rpc, search }, wanted),
    build: (wanted, buildOptions) => buildTransaction({ ...options, rpc, search }, wanted, buildOptions),
    async broadcast(transaction) {
      try {
        await rpc.send('sendrawtransaction', [Buffer.from(transaction.raw).toString('hex')])
      } catch (error) {
        if (!(error instanceof RpcRefusal)) throw error
        const failure = failureOf(error)
        if (failure.code === 'already_known' || (await isThere(transaction))) return
        throw failure
      }
    },
    async status(transaction) {
      const first = await rpc.ask((call) => statusAt(call, transaction))
      if (first.state === 'included' || first.state === 'pending') return first
      // One that is behind, or was never told of it, is not enough: what it says of it is the end, or makes it be sent again.
      const all = await rpc.askAll((call) => statusAt(call, transaction))
      return LIKELIEST.map((state) => all.find((status) => status.state === state)).find((status) => status !== undefined) ?? first
    },
    nextNonce: async () => null,
    async balance(address, asset) {
      if (asset !== chain.nativeAsset) throw new ChainFailure('asset_unknown', 'there is one coin on this chain', true)
      const { coins, block } = await coinsOf(address)
      return { amount: coins.reduce((sum, { amount }) => sum + amount, 0n), block }
    },
    deposits: (addresses, cursor) => rpc.ask((call) => readDeposits(call, { asset: chain.nativeAsset, network }, addresses, cursor)),
    standing: ({ hash }) =>
      standingOf(rpc, async (call) => {
        const blockHash = (await lookUp(call, hash))?.blockHash ?? null
        if (blockHash === null) return null
        const { height, confirmations } = await headerOf(call, blockHash)
        return confirmations < 1 ? null : { block: { height, hash: blockHash }, confirmations }
      }),
    depth: (block) => rpc.ask((call) => depthOf(call, block)),
    async close() {
      rpc.close()
    },
  }
}

/** A node that refuses to tell what all nodes tell is as good as none. */
function withoutRefusals(rpc: Rpc): Rpc {
  const unavailable = (error: unknown): never => {
    if (!(error instanceof RpcRefusal)) throw error
    throw new ChainFailure('chain_unavailable', `the node refuses: ${error.message}`, true)
  }
  return { ...rpc, ask: (work) => rpc.ask(work).catch(unavailable), askAll: (work) => rpc.askAll(work).catch(unavailable) }
}

/** What its inputs are worth, less what it pays. */
async function feeOf(call: Call, raw: Uint8Array): Promise<bigint> {
  const { inputs, outputs } = RawTx.decode(raw)
  let fee = 0n
  for (const { txid, index } of inputs) {
    const previous = await lookUp(call, Buffer.from(txid).toString('hex'))
    const output = previous && RawTx.decode(previous.raw).outputs[index]
    if (!output) throw malformed()
    fee += output.amount
  }
  return outputs.reduce((rest, { amount }) => rest - amount, fee)
}
