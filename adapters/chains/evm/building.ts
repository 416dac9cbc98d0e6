import { bytesToHex } from '@noble/hashes/utils.js'
import type { Chain } from '../../../domain/ports/chain.ts'
import { type BuildOptions, ChainFailure, type WantedTransaction } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { RpcRefusal } from '../rpc/failures.ts'
import { readBytes, readQuantity, toQuantity } from './answers.ts'
import { balanceCall, transferCall } from './erc20.ts'
import { affordable, marketAt, outbid } from './fees.ts'
import { failureOf } from './refusals.ts'
import type { EvmSettings } from './settings.ts'
import { type Fees, gasPriceOf, readTransaction, type TransactionFields, writeTransaction } from './transaction-fields.ts'

/** What a transaction does, without what it costs. */
type Body = Pick<TransactionFields, 'to' | 'value' | 'data'>

/** What a plain transfer of the coin takes, exactly. */
const PLAIN_TRANSFER_GAS = 21_000n
/** A word that is not zero: what transfer returns when it has been done. Tokens from before the standard was one return nothing. */
const isTrue = (word: Uint8Array): boolean => word.length === 0 || (word.length === 32 && word.some((byte) => byte !== 0))

/** Makes transactions for one chain. */
export function transactionBuilder(chain: Chain, settings: Pick<EvmSettings, 'minimumTip' | 'gasMargin' | 'maxGas'>) {
  const [, chainId] = chain.id.split(':')

  /** Gas and fees of a transfer as things stand. @throws ChainFailure, RpcRefusal, EndpointFailure */
  async function price(call: Call, wanted: WantedTransaction): Promise<{ body: Body; gas: bigint; fees: Fees; cost: bigint }> {
    if (wanted.memo !== null) throw new ChainFailure('memo_not_supported', `transactions of ${chain.id} carry no memo`, true)
    const { token } = chain.readAsset(wanted.asset, '/asset')
    const body = bodyOf(wanted, token)
    if (token !== null) await requireTransferable(call, wanted, token, body)
    const gas = await gasOf(call, wanted.sender.address, body)
    const fees = affordable(wanted.maxFee ?? chain.feeCeiling, gas, await marketAt(call, wanted.fee, settings.minimumTip))
    return { body, gas, fees, cost: gas * gasPriceOf(fees) }
  }

  async function build(call: Call, wanted: WantedTransaction, { nonce, replaces }: BuildOptions): Promise<Uint8Array> {
    if (replaces) return replacement(call, wanted, replaces)
    if (nonce === null) throw new TypeError(`a transaction of ${chain.id} needs a nonce`)
    const { body, gas, fees, cost } = await price(call, wanted)
    await requireCoins(call, wanted.sender.address, body.value + cost)
    return writeTransaction({ chainId: Number(chainId), nonce: Number(nonce), gas, fees, ...body })
  }

  /** With the same nonce and for more; what it does it has from the one before, or does nothing. */
  async function replacement(call: Call, wanted: WantedTransaction, { unsigned, as }: NonNullable<BuildOptions['replaces']>) {
    const before = readTransaction(unsigned)
    const { address } = wanted.sender
    const body = as === 'acceleration' ? before : { to: address, value: 0n, data: new Uint8Array() }
    const gas = as === 'acceleration' ? before.gas : await gasOf(call, address, body)
    const market = outbid(before.fees, await marketAt(call, wanted.fee, settings.minimumTip))
    const fees = affordable(wanted.maxFee ?? chain.feeCeiling, gas, market)
    await requireCoins(call, address, body.value + gas * gasPriceOf(fees))
    return writeTransaction({ ...before, to: body.to, value: body.value, data: body.data, gas, fees })
  }

  async function gasOf(call: Call, from: string, body: Body): Promise<bigint> {
    const estimate = readQuantity(await call('eth_estimateGas', [callOf(from, body)]))
    const gas = estimate === PLAIN_TRANSFER_GAS ? estimate : (estimate * settings.gasMargin) / 100n
    if (gas > settings.maxGas)
      throw new ChainFailure('fee_too_high', `it would take ${gas} gas, and ${settings.maxGas} the most that is allowed`, true)
    return gas
  }

  /** Tells what would come of it before a fee is spent. */
  async function requireTransferable(call: Call, { sender, amount }: WantedTransaction, token: string, body: Body): Promise<void> {
    const balance = await tokenBalance(call, sender.address, token, 'latest')
    if (balance < amount)
      throw new ChainFailure('insufficient_funds', `the account has ${balance} of the token, and ${amount} are needed`, true)
    const answer = readBytes(await call('eth_call', [callOf(sender.address, body), 'latest']))
    if (!isTrue(answer)) throw new ChainFailure('reverted', 'the token says that it would not transfer', true)
  }

  async function requireCoins(call: Call, address: string, needed: bigint): Promise<void> {
    const balance = readQuantity(await call('eth_getBalance', [address, 'latest']))
    if (balance < needed)
      throw new ChainFailure('insufficient_funds', `the account has ${balance}, and ${needed} are needed with the fee`, true)
  }

  return { price, build }
}

/** @throws ChainFailure `asset_unknown` when the address does not answer as a token does; where there is no contract the answer is empty */
export async function tokenBalance(call: Call, owner: string, token: string, block: string): Promise<bigint> {
  const data = `0x${bytesToHex(balanceCall(owner))}`
  try {
    const answer = readBytes(await call('eth_call', [{ to: token, data }, block]))
    if (answer.length !== 32) throw new ChainFailure('asset_unknown', `what is at ${token} is no token`, true)
    return readQuantity(`0x${bytesToHex(answer)}`)
  } catch (error) {
    if (error instanceof RpcRefusal && failureOf(error).code === 'reverted')
      throw new ChainFailure('asset_unknown', `what is at ${token} is no token`, true)
    throw error
  }
}

function bodyOf({ to, amount }: WantedTransaction, token: string | null): Body {
  if (token === null) return { to, value: amount, data: new Uint8Array() }
  return { to: token, value: 0n, data: transferCall(to, amount) }
}

const callOf = (from: string, { to, value, data }: Body) => ({ from, to, value: toQuantity(value), data: `0x${bytesToHex(data)}` })
