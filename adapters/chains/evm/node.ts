import { bytesToHex } from '@noble/hashes/utils.js'
import type { Chain } from '../../../domain/ports/chain.ts'
import { ChainFailure, type ChainNode, type SentTransaction, type TransactionStatus } from '../../../domain/ports/chain-node.ts'
import type { OpenNode } from '../open-node.ts'
import type { Call, Nodes } from '../rpc/endpoint.ts'
import { EndpointFailure, RpcRefusal } from '../rpc/failures.ts'
import { rememberAnswers } from '../rpc/remembered.ts'
import { openRpc } from '../rpc/rpc.ts'
import { standingOf } from '../rpc/standing.ts'
import { readBlock, readQuantity, toQuantity } from './answers.ts'
import { tokenBalance, transactionBuilder } from './building.ts'
import { depositWatch } from './deposits.ts'
import { depthOf, type Inclusion, inclusionOf } from './inclusion.ts'
import { networkOf } from './networks.ts'
import { failureOf, isUnable } from './refusals.ts'
import { readEvmSettings } from './settings.ts'
import { statusOf } from './status.ts'

/** Answers that can change no more, of each kind. */
const REMEMBERED = 10_000

const NODES: Nodes = { identify: async (call) => `eip155:${readQuantity(await call('eth_chainId'))}`, isUnable }

/** A chain of EVM nodes, over JSON-RPC (Execution API). */
export const openNode: OpenNode = async (chain, settings, observer) => {
  const network = networkOf(chain.id.slice('eip155:'.length))
  const extra = readEvmSettings(`QUORATE_CHAINS: ${chain.id}: extra`, settings.extra ?? {}, network)
  const rpc = openRpc({ chain: chain.id, endpoints: settings.endpoints, nodes: NODES, settings: settings.rpc, observer })
  const builder = transactionBuilder(chain, extra)
  const watch = depositWatch(chain, extra.tokens)
  const statuses = rememberAnswers<TransactionStatus>(REMEMBERED)
  const standings = rememberAnswers<Inclusion | null>(REMEMBERED)
  const confirmations = settings.confirmations ?? Math.min(network.confirmations, settings.finality ?? network.confirmations)
  const finality = Math.max(settings.finality ?? network.finality, confirmations)
  const ask = <T>(work: (call: Call) => Promise<T>): Promise<T> => translated(rpc.ask(work))

  /** Sent by somebody before, or mined by now: what refuses it then is no failure. When nobody answers that stays open. */
  async function isThere({ hash }: SentTransaction): Promise<boolean> {
    try {
      return await ask(
        async (call) => (await inclusionOf(call, hash)) !== null || (await call('eth_getTransactionByHash', [hash])) !== null,
      )
    } catch (error) {
      throw error instanceof ChainFailure ? new ChainFailure('chain_unavailable', error.message, false) : error
    }
  }

  const node: ChainNode = {
    chain: chain.id,
    confirmations,
    finality,
    pollMs: settings.pollMs ?? network.pollMs,
    quote: async (wanted) => ({ fee: (await ask((call) => builder.price(call, wanted))).cost }),
    build: async (wanted, options) => ({ unsigned: await ask((call) => builder.build(call, wanted, options)), validity: null }),
    async broadcast(transaction) {
      try {
        await translated(rpc.send('eth_sendRawTransaction', [`0x${bytesToHex(transaction.raw)}`]))
      } catch (error) {
        if (!(error instanceof ChainFailure) || error.code === 'chain_unavailable') throw error
        if (error.code === 'already_known' || (await isThere(transaction))) return
        throw error
      }
    },
    status: (transaction) =>
      statuses.get(
        transaction.hash,
        () => translated(statusOf(rpc, transaction, finality)),
        (status) => status.state === 'included' && status.isFinal,
      ),
    nextNonce: (address) =>
      ask(async (call) => {
        const counts = await Promise.all(['latest', 'pending'].map((block) => call('eth_getTransactionCount', [address, block])))
        return counts.map(readQuantity).reduce((a, b) => (a > b ? a : b))
      }),
    balance: (address, asset) => ask((call) => balanceAt(call, chain, address, asset)),
    deposits: (addresses, cursor) => ask((call) => watch.after(call, addresses, cursor)),
    async standing(deposit) {
      const inclusion = await standings.get(
        deposit.id,
        () => translated(standingOf(rpc, (call) => watch.inclusion(call, deposit))),
        (found) => found !== null && found.confirmations >= finality,
      )
      return inclusion && { block: inclusion.receipt.block, confirmations: inclusion.confirmations }
    },
    depth: (block) => ask((call) => depthOf(call, block)),
    close: async () => rpc.close(),
  }
  return node
}

async function balanceAt(call: Call, chain: Chain, address: string, asset: string) {
  const { token } = chain.readAsset(asset, '/asset')
  const block = readBlock(await call('eth_getBlockByNumber', ['latest', false]))
  if (block === null) throw new EndpointFailure('unable', false)
  const height = toQuantity(block.height)
  const amount =
    token === null ? readQuantity(await call('eth_getBalance', [address, height])) : await tokenBalance(call, address, token, height)
  return { amount, block: { height: block.height, hash: block.hash } }
}

/** What a node refuses, in the words of this side. */
async function translated<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw error instanceof RpcRefusal ? failureOf(error) : error
  }
}
