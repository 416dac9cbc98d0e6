import type { BTC_NETWORK } from '@scure/btc-signer/utils.js'
import type { Chain } from '../../../domain/ports/chain.ts'
import {
  type BuildOptions,
  ChainFailure,
  type ChainFailureCode,
  type Quote,
  type UnsignedTransaction,
  type WantedTransaction,
} from '../../../domain/ports/chain-node.ts'
import { MAX_TRANSACTION_BYTES } from '../../../domain/ports/transaction-codec.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { several } from '../rpc/several.ts'
import { type Need, type Selection, selectCoins, TooManyInputs } from './coin-selection.ts'
import type { CoinSource, Coins, FoundCoin } from './coins.ts'
import { lookUp, malformed } from './core-rpc.ts'
import { lineageOf } from './lineage.ts'
import { MAX_MEMO_BYTES, memoScript, scriptOf } from './output-script.ts'
import { type Coin, type Payment, readPsbt, type Spending, unsignedTxid, withoutWitnesses, writePsbt } from './psbt.ts'
import { costOf, type Rates, ratesOf } from './rates.ts'
import type { SpenderSearch } from './spenders.ts'
import { conflictOf } from './transactions.ts'
import { dustLimit, virtualBytes } from './weight.ts'

type Surroundings = {
  readonly chain: Chain
  readonly network: BTC_NETWORK
  readonly rpc: Rpc
  readonly coinsOf: CoinSource
  readonly confirmations: number
  readonly finality: number
  readonly search: SpenderSearch
}

/** Blocks until what a miner has made can be spent. */
const MATURITY = 100n
/** Requests under way at once. */
const AT_ONCE = 8
/** What a fee may rise, in percent, from the quote until the transaction is built. */
const QUOTE_PERCENT = 150n

/** As `ChainNode.quote`. Nothing is taken by others yet: what they take may make it more inputs, which is what the margin is for, too. */
export async function quoteFor(surroundings: Surroundings, wanted: WantedTransaction): Promise<Quote> {
  const need = needOf(surroundings.network, wanted, paymentsOf(surroundings, wanted))
  if (wanted.made) {
    const { inputs, outputs } = requireSpendable(surroundings, wanted.made, await surroundings.coinsOf(wanted.sender.address), [])
    const fee = sumOf(inputs) - sumOf(outputs)
    requireBounded(surroundings.chain, wanted, fee)
    return { fee }
  }
  const { wanted: rate } = await surroundings.rpc.ask((call) => ratesOf(call, wanted.fee))
  const { coins } = await surroundings.coinsOf(wanted.sender.address)
  const { fee } = select({ ...need, feeOf: (size) => costOf(rate, size) }, [], coins)
  const most = requireBounded(surroundings.chain, wanted, fee)
  const withMargin = (fee * QUOTE_PERCENT) / 100n
  return { fee: withMargin < most ? withMargin : most }
}

/** As `ChainNode.build`. `validity` tells what its inputs stem from (`lineage.ts`). */
export async function buildTransaction(
  surroundings: Surroundings,
  wanted: WantedTransaction,
  { taken, replaces }: BuildOptions,
): Promise<UnsignedTransaction> {
  if (wanted.made && !replaces) {
    const found = await surroundings.coinsOf(wanted.sender.address)
    const { inputs, outputs } = requireSpendable(surroundings, wanted.made, found, taken)
    requireBounded(surroundings.chain, wanted, sumOf(inputs) - sumOf(outputs))
    return { unsigned: wanted.made, validity: await lineageOf(surroundings, inputs, found) }
  }
  const outputs = replaces?.as === 'cancellation' ? [] : paymentsOf(surroundings, wanted)
  const need = needOf(surroundings.network, wanted, outputs)
  const rates = await surroundings.rpc.ask((call) => ratesOf(call, wanted.fee))
  const { coins, block } = await surroundings.coinsOf(wanted.sender.address)
  const usable = coins.filter((coin) => isUsable(coin, block.height, surroundings.confirmations))
  const free = usable.filter((coin) => !taken.includes(conflictOf(coin)))
  const replaced = replaces ? await replacedBy(surroundings, replaces, coins) : undefined
  // Parties keep for the transfer, for ever, what any of its transactions spends: what only one spends that is not mined in the end would be lost.
  const others = replaced ? [] : free
  const feeOf = (size: bigint) => (replaced ? outbid(wanted, replaced, rates, size) : costOf(rates.wanted, size))
  const unsigned = await psbtOf(surroundings, wanted, { ...need, feeOf }, replaced?.coins ?? [], others, sumOf(coins))
  return { unsigned, validity: await lineageOf(surroundings, readPsbt(unsigned).inputs, { coins, block }) }
}

/** What another wallet has made, when its coins are there, and no other transfer uses them. @throws ChainFailure */
function requireSpendable({ confirmations }: Surroundings, made: Uint8Array, { coins, block }: Coins, taken: readonly string[]): Spending {
  const spending = readPsbt(made)
  const found = new Map(coins.map((coin) => [conflictOf(coin), coin]))
  for (const input of spending.inputs) {
    const coin = found.get(conflictOf(input))
    if (coin?.amount !== input.amount) throw refused('inputs_missing', `there is no output ${input.txid}:${input.index} of this amount`)
    if (taken.includes(conflictOf(input)) || !isUsable(coin, block.height, confirmations))
      throw refused('funds_locked', `another transfer spends ${input.txid}:${input.index}, or it has too few confirmations`)
  }
  return spending
}

/** The most that the fee may be. @throws ChainFailure */
function requireBounded({ feeCeiling }: Chain, { maxFee }: WantedTransaction, fee: bigint): bigint {
  const most = maxFee ?? feeCeiling
  if (fee > most) throw refused('fee_too_high', `the fee would be ${fee}, and ${most} is the most that it may be`)
  return most
}

/** The transaction with the fewest inputs that fits: P2WPKH carries the transactions before with it, and the largest one is given up when they are too much. */
async function psbtOf(
  { rpc, chain }: Surroundings,
  wanted: WantedTransaction,
  need: Need,
  must: readonly FoundCoin[],
  others: readonly FoundCoin[],
  all: bigint,
): Promise<Uint8Array> {
  const tooLong = () => refused('transaction_rejected', 'with the transactions that it spends from it is too long')
  const tooLittle = () => refused('not_replaceable', 'what it spends does not pay for a fee so high')
  let candidates = others
  for (;;) {
    const otherwise = must.length > 0 ? tooLittle : candidates === others ? undefined : tooLong
    const { coins, change, fee } = select(need, must, candidates, all, otherwise)
    requireBounded(chain, wanted, fee)
    const inputs = await rpc.ask((call) => several(AT_ONCE, coins, (coin) => coinToSpend(call, wanted, need.script, coin)))
    const outputs = [...need.outputs, ...(change > 0n ? [{ script: need.script, amount: change }] : [])]
    const unsigned = writePsbt({ inputs, outputs })
    if (unsigned.length <= MAX_TRANSACTION_BYTES) return unsigned
    const [heaviest] = inputs
      .filter((input) => candidates.some((coin) => conflictOf(coin) === conflictOf(input)))
      .sort((a, b) => (b.previous?.length ?? 0) - (a.previous?.length ?? 0))
    if (!heaviest) throw tooLong()
    candidates = candidates.filter((coin) => conflictOf(coin) !== conflictOf(heaviest))
  }
}

async function coinToSpend(
  call: Parameters<typeof lookUp>[0],
  { sender }: WantedTransaction,
  script: Uint8Array,
  { txid, index, amount }: FoundCoin,
): Promise<Coin> {
  if (sender.scheme === 'frost-secp256k1-tr') return { txid, index, amount, script, previous: null }
  const known = await lookUp(call, txid)
  if (!known) throw malformed()
  return { txid, index, amount, script, previous: withoutWitnesses(known.raw) }
}

/** @throws ChainFailure for what can be told without knowing any coins */
function paymentsOf({ chain, network }: Surroundings, { asset, to, amount, memo, sender }: WantedTransaction): Payment[] {
  if (asset !== chain.nativeAsset) throw refused('asset_unknown', 'there is one coin on this chain')
  if (to === sender.address) throw refused('transaction_rejected', 'it would move nothing')
  const payment = { script: scriptOf(network, to), amount }
  if (amount < dustLimit(payment)) throw refused('dust', `less than ${dustLimit(payment)} satoshi are not passed on to this address`)
  if (memo === null) return [payment]
  const script = memoScript(memo)
  if (!script) throw refused('transaction_rejected', `a memo has 1 to ${MAX_MEMO_BYTES} bytes of UTF-8`)
  return [payment, { script, amount: 0n }]
}

const needOf = (network: BTC_NETWORK, { sender }: WantedTransaction, outputs: readonly Payment[]) => ({
  scheme: sender.scheme,
  outputs,
  script: scriptOf(network, sender.address),
})

/** The sender may spend it, and it is not undone by the next reorganisation. */
function isUsable({ height, isCoinbase }: FoundCoin, newest: bigint, confirmations: number): boolean {
  const has = newest - height + 1n
  return has >= BigInt(confirmations) && (!isCoinbase || has >= MATURITY)
}

/**
 * @param all what the sender has, usable or not
 * @param otherwise what to throw when it is too little, if it is for another reason than that
 * @throws ChainFailure
 */
function select(
  need: Need,
  must: readonly FoundCoin[],
  others: readonly FoundCoin[],
  all = 0n,
  otherwise?: () => ChainFailure,
): Selection<FoundCoin> {
  let selection: Selection<FoundCoin> | undefined
  try {
    selection = selectCoins(need, must, others)
  } catch (error) {
    if (error instanceof TooManyInputs)
      throw refused('transaction_rejected', 'it would take too many inputs: bring small amounts together first')
    throw error
  }
  if (selection) return selection
  if (otherwise) throw otherwise()
  const least = sumOf(need.outputs) + need.feeOf(virtualBytes(need.scheme, must.length + 1, need.outputs))
  if (all >= least) throw refused('funds_locked', 'there is enough, but other transfers use it, or it has too few confirmations')
  throw refused('insufficient_funds', `at least ${least} satoshi are needed`)
}

type Replaced = {
  /** Those that are there still. */
  readonly coins: readonly FoundCoin[]
  readonly inputs: number
  readonly fee: bigint
  readonly outputs: readonly Payment[]
}

/**
 * What of it is not there must be gone for good: otherwise it would come back to be kept by parties for a transfer that has ended.
 * @throws ChainFailure
 */
async function replacedBy(
  { rpc, search }: Surroundings,
  { unsigned, validity = null }: NonNullable<BuildOptions['replaces']>,
  coins: readonly FoundCoin[],
): Promise<Replaced> {
  const spending = readPsbt(unsigned)
  const { inputs, outputs } = spending
  const conflicts = inputs.map(conflictOf)
  const found = new Map(coins.map((coin) => [conflictOf(coin), coin]))
  const unspent = conflicts.flatMap((conflict) => found.get(conflict) ?? [])
  if (unspent.length === 0) throw refused('not_replaceable', 'what is to be replaced is mined, or another transaction is')
  if (unspent.length < inputs.length) {
    const outputs = await rpc.ask((call) => search(call, { hash: unsignedTxid(spending), conflicts, validity }))
    if (!outputs.every(({ isThere, goneBy }) => isThere || goneBy !== undefined))
      throw refused('not_replaceable', 'some of what it spends is not there now, and may come back')
  }
  return { coins: unspent, inputs: inputs.length, fee: sumOf(inputs) - sumOf(outputs), outputs }
}

/** More for each virtual byte than before, and more in all by what it takes to pass it on (BIP-125, rules 3 and 4). */
function outbid({ sender }: WantedTransaction, { inputs, fee, outputs }: Replaced, { wanted, increment }: Rates, size: bigint): bigint {
  const before = virtualBytes(sender.scheme, inputs, outputs)
  const rate = (fee * 1_000n) / before + increment
  return [costOf(wanted, size), costOf(rate, size), fee + costOf(increment, size)].reduce((most, each) => (each > most ? each : most))
}

const sumOf = (parts: readonly { readonly amount: bigint }[]) => parts.reduce((sum, { amount }) => sum + amount, 0n)

const refused = (code: ChainFailureCode, message: string) => new ChainFailure(code, message, true)
