/** What a regtest node has no occasion for; `test/chains/bitcoin.test.ts` builds with a real one. */
import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import { ChainFailure, type WantedTransaction } from '../../../domain/ports/chain-node.ts'
import { MAX_TRANSACTION_BYTES } from '../../../domain/ports/transaction-codec.ts'
import type { Call } from '../rpc/endpoint.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { buildTransaction } from './building.ts'
import { family } from './family.ts'
import { NETWORKS } from './networks.ts'
import { readPsbt, txidOf } from './psbt.ts'
import { ratesOf } from './rates.ts'
import { spenderOf, transactionPaying } from './testing/spender.ts'

const GENESIS = '000000000019d6689c085ae165831e93'
const chain = family.chain(GENESIS)!
const network = NETWORKS[GENESIS]!
const { sender, script } = spenderOf(network, 'dkls23-secp256k1')
const wanted: WantedTransaction = {
  ...{ sender, asset: chain.nativeAsset, to: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', amount: 30_000n },
  ...{ fee: 'normal', maxFee: null, memo: null },
}

/** Answers of a node. */
const answering =
  (answers: { readonly [method: string]: (params: readonly unknown[]) => unknown }): Call =>
  async (method, params = []) =>
    answers[method]!(params)
const POOL = {
  estimatesmartfee: () => ({ feerate: 0.00002, blocks: 6 }),
  getmempoolinfo: () => ({ mempoolminfee: 0.00001 }),
  getnetworkinfo: () => ({ relayfee: 0.00001, incrementalfee: 0.000005 }),
}

/** A node, and coins of these amounts in transactions with so many other outputs. */
function surroundings(coins: readonly { readonly amount: bigint; readonly others: number }[], pool: Parameters<typeof answering>[0] = {}) {
  const transactions = coins.map(({ amount, others }, number) =>
    transactionPaying([{ script, amount }, ...Array.from({ length: others }, () => ({ script, amount: 1n }))], number),
  )
  const known = new Map(transactions.map((raw) => [txidOf(raw), bytesToHex(raw)]))
  const call = answering({ ...POOL, ...pool, getrawtransaction: ([txid]) => ({ hex: known.get(String(txid)) }) })
  const found = transactions.map((raw, place) => ({
    txid: txidOf(raw),
    index: 0,
    amount: coins[place]!.amount,
    height: 1n,
    isCoinbase: false,
  }))
  return {
    ...{ chain, network: network.parameters, confirmations: 1, finality: 1, search: async () => [] },
    rpc: { ask: (work: (call: Call) => unknown) => work(call) } as Rpc,
    coinsOf: async () => ({ coins: found, block: { height: 9n, hash: '00'.repeat(32) } }),
  }
}

const spent = (unsigned: Uint8Array) => readPsbt(unsigned).inputs.map(({ amount }) => amount)
const FRESH = { nonce: null, taken: [], replaces: null }
/** In a transaction as long as a PSBT may be. */
const HUGE = MAX_TRANSACTION_BYTES / 31

test('P2WPKH: an output of a transaction that is too long to take along is left out, as long as others will do', async (t) => {
  const some = surroundings([
    { amount: 40_000n, others: HUGE },
    { amount: 50_000n, others: 0 },
  ])
  t.deepEqual(spent((await buildTransaction(some, wanted, FRESH)).unsigned), [50_000n])
  const one = surroundings([{ amount: 40_000n, others: HUGE }])
  await t.throwsAsync(buildTransaction(one, wanted, FRESH), { instanceOf: ChainFailure, code: 'transaction_rejected', message: /too long/ })
})

test('a node that hands out another transaction than was asked for is not believed', async (t) => {
  const honest = surroundings([{ amount: 40_000n, others: 0 }])
  const other = bytesToHex(transactionPaying([{ script, amount: 90_000n }], 7))
  const call = answering({ ...POOL, getrawtransaction: () => ({ hex: other }) })
  const lying = { ...honest, rpc: { ask: (work: (call: Call) => unknown) => work(call) } as Rpc }
  t.deepEqual(spent((await buildTransaction(honest, wanted, FRESH)).unsigned), [40_000n])
  await t.throwsAsync(buildTransaction(lying, wanted, FRESH), { message: 'malformed_answer' })
})

test('a coin that a miner has made is not spent before its time', async (t) => {
  const honest = surroundings([{ amount: 40_000n, others: 0 }])
  const { coins, block } = await honest.coinsOf()
  const young = { ...honest, coinsOf: async () => ({ coins: coins.map((coin) => ({ ...coin, isCoinbase: true })), block }) }
  await t.throwsAsync(buildTransaction(young, wanted, FRESH), { code: 'funds_locked' })
  const old = { ...young, coinsOf: async () => ({ ...(await young.coinsOf()), block: { ...block, height: 100n } }) }
  t.truthy(await buildTransaction(old, wanted, FRESH))
})

test('a replacement spends what the transaction before did and nothing else: the change pays for it, as long as there is some', async (t) => {
  const [coin, other] = [
    { amount: 32_000n, others: 0 },
    { amount: 90_000n, others: 0 },
  ]
  const { unsigned } = await buildTransaction(surroundings([coin]), wanted, FRESH)
  const at = (feerate: number) => surroundings([coin, other], { estimatesmartfee: () => ({ feerate, blocks: 6 }) })
  const replace = async (feerate: number, as: 'acceleration' | 'cancellation') =>
    readPsbt((await buildTransaction(at(feerate), wanted, { ...FRESH, replaces: { unsigned, as } })).unsigned)
  const [, change] = readPsbt(unsigned).outputs

  for (const feerate of [0.00002, 0.00005]) {
    const { inputs, outputs } = await replace(feerate, 'acceleration')
    t.deepEqual(
      inputs.map(({ amount }) => amount),
      [32_000n],
    )
    t.is(outputs.length, 2)
    t.true(outputs[1]!.amount < change!.amount)
  }
  const withoutChange = await replace(0.00012, 'acceleration')
  t.deepEqual(
    withoutChange.outputs.map(({ amount }) => amount),
    [30_000n],
  )
  t.is(withoutChange.inputs.length, 1)
  await t.throwsAsync(replace(0.0004, 'acceleration'), { instanceOf: ChainFailure, code: 'not_replaceable' })
  t.is((await replace(0.0004, 'cancellation')).inputs.length, 1)
  await t.throwsAsync(replace(0.005, 'cancellation'), { instanceOf: ChainFailure, code: 'not_replaceable' })
})

test('a rate is what the node estimates, between the least that it passes on and the most that is believed', async (t) => {
  const rate = async (feerate: number | undefined, mempoolminfee: number) =>
    (await ratesOf(answering({ ...POOL, estimatesmartfee: () => ({ feerate }), getmempoolinfo: () => ({ mempoolminfee }) }), 'high')).wanted
  t.is(await rate(0.00025, 0.00001), 25_000n)
  t.is(await rate(0.00001, 0.0004), 40_000n)
  t.is(await rate(0.5, 0.00001), 1_000_000n)
  t.is(await rate(undefined, 0.00001), 5_000n)
  t.is(await rate(-1, 0.00001), 5_000n)
  await t.throwsAsync(rate(0.1, -1), { message: 'malformed_answer' })
})
