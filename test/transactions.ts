/** Unsigned transactions of real chains, for a key at a path, without a node. */
import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { NETWORKS } from '../adapters/chains/bitcoin/networks.ts'
import { memoScript, scriptOf } from '../adapters/chains/bitcoin/output-script.ts'
import { txidOf, writePsbt } from '../adapters/chains/bitcoin/psbt.ts'
import { transactionPaying } from '../adapters/chains/bitcoin/testing/spender.ts'
import { transferCall } from '../adapters/chains/evm/erc20.ts'
import { type TransactionFields, writeTransaction } from '../adapters/chains/evm/transaction-fields.ts'
import { openChains } from '../adapters/chains/registry.ts'
import type { Step } from '../adapters/chains/solana/instructions.ts'
import { encodeMessage } from '../adapters/chains/solana/message.ts'
import type { ExistingKeyShare } from '../domain/key-share/key-share.ts'
import type { Sender } from '../domain/ports/transaction-codec.ts'
import { parsePath } from '../domain/threshold/derivation-path.ts'
import { protocolOf } from '../domain/threshold/registry.ts'

export const chains = await openChains(undefined)
await Promise.all([...chains.values()].map((chain) => chain.transactions()))
export const ETHEREUM = 'eip155:1'
export const SOLANA = 'solana:localnet'
const GENESIS = '000000000019d6689c085ae165831e93'
export const BITCOIN = `bip122:${GENESIS}`
const network = NETWORKS[GENESIS]!.parameters

export const ETHER = chains.get(ETHEREUM)!.nativeAsset
export const SOLS = chains.get(SOLANA)!.nativeAsset
export const BITCOINS = chains.get(BITCOIN)!.nativeAsset
export const TOKEN_CONTRACT = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'
export const TOKEN = `${ETHEREUM}/erc20:${TOKEN_CONTRACT}`

/** The account of a key at a path. */
export function senderOf({ scheme, publicPackage }: ExistingKeyShare, chain: string, path = 'm'): Sender {
  const { publicKey } = protocolOf(scheme).derive(new Uint8Array(Buffer.from(publicPackage!, 'hex')), parsePath(path))
  return { scheme, publicKey, address: chains.get(chain)!.addressOf(scheme, publicKey) }
}

type Payment = { to: string; amount: bigint }

/** At most 21,000 gas at 10 gwei: 210,000 gwei. */
export const evmTransaction = ({ to, amount }: Payment, changes: Partial<TransactionFields> = {}): Uint8Array =>
  writeTransaction({
    chainId: 1,
    nonce: 7,
    gas: 21_000n,
    fees: { kind: 'dynamic', maxFee: 10_000_000_000n, tip: 1_000_000_000n },
    to,
    value: amount,
    data: new Uint8Array(),
    ...changes,
  })

export const tokenTransaction = ({ to, amount }: Payment, changes: Partial<TransactionFields> = {}): Uint8Array =>
  evmTransaction({ to: TOKEN_CONTRACT, amount: 0n }, { gas: 60_000n, data: transferCall(to, amount), ...changes })

/** Spends outputs that were paid to the sender, each of a million satoshi and named by a number; what is left comes back. */
export function bitcoinTransaction(
  { address, scheme }: Sender,
  payments: readonly Payment[],
  { coins = [1], fee = 1_000n, memo }: { coins?: readonly number[]; fee?: bigint; memo?: string } = {},
): Uint8Array {
  const own = { script: scriptOf(network, address), amount: 1_000_000n }
  const inputs = coins.map((number) => {
    const previous = transactionPaying([own], number)
    return { txid: txidOf(previous), index: 0, ...own, previous: scheme === 'frost-secp256k1-tr' ? null : previous }
  })
  const paid = payments.reduce((sum, { amount }) => sum + amount, 0n)
  const left = BigInt(coins.length) * own.amount - paid - fee
  return writePsbt({
    inputs,
    outputs: [
      ...payments.map(({ to, amount }) => ({ script: scriptOf(network, to), amount })),
      ...(memo === undefined ? [] : [{ script: memoScript(memo)!, amount: 0n }]),
      ...(left > 0n ? [{ ...own, amount: left }] : []),
    ],
  })
}

/** Moves coins, or does `steps`, until the block of a number is too old. */
export const solanaTransaction = (
  { address }: Sender,
  { to, amount }: Payment,
  { block = 1, steps }: { block?: number; steps?: readonly Step[] } = {},
): Uint8Array =>
  encodeMessage({
    payer: address,
    lifetime: solanaAddress(block),
    steps: steps ?? [{ kind: 'transfer', from: address, to, lamports: amount }],
  })

/** An account on Solana, or a block's hash, by its number; nobody has it. */
export const solanaAddress = (number: number): string =>
  chains.get(SOLANA)!.addressOf('frost-ed25519', ed25519.getPublicKey(new Uint8Array(32).fill(number)))

/** An address that belongs to nobody: an Ethereum account by its number. */
export const etherAddress = (number: number): string =>
  chains.get(ETHEREUM)!.readAddress(`0x${createHash('sha256').update(String(number)).digest('hex').slice(0, 40)}`, '/to')
