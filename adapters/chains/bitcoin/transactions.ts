import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { OutScript } from '@scure/btc-signer/payment.js'
import { RawOldTx, RawTx } from '@scure/btc-signer/script.js'
import { SigHash, Transaction } from '@scure/btc-signer/transaction.js'
import { type BTC_NETWORK, concatBytes, equalBytes, hash160 } from '@scure/btc-signer/utils.js'
import type { Chain } from '../../../domain/ports/chain.ts'
import {
  type Effect,
  type MadeSignature,
  type Sender,
  type SignedTransaction,
  type TransactionCodec,
  TransactionRefused,
} from '../../../domain/ports/transaction-codec.ts'
import { addressOf } from './address.ts'
import { addressPaidBy, memoOf, scriptOf } from './output-script.ts'
import { type Coin, importPsbt, readPsbt, type Spending, signedPsbt, transactionOf, txidOf } from './psbt.ts'

/** Each takes a signature of its own. */
export const MAX_INPUTS = 50
/** All that there will ever be, in satoshi: no amount nor sum can be more. */
const MAX_MONEY = 21_000_000n * 100_000_000n

export const conflictOf = ({ txid, index }: Pick<Coin, 'txid' | 'index'>): string => `input:${txid}:${index}`

/** Transactions of one network: PSBTs that spend what was paid to the sender, by its key alone, and sign all of what they do (SIGHASH_ALL and _DEFAULT). */
export function transactionsOf({ nativeAsset }: Pick<Chain, 'nativeAsset'>, network: BTC_NETWORK): TransactionCodec {
  return {
    read: (unsigned, sender) => ({
      ...understood(network, sender, unsigned).effect,
      asset: nativeAsset,
      lifetimeSeconds: null,
    }),
    messages: (unsigned, sender) => digestsOf(sender, understood(network, sender, unsigned).spending),
    attach(unsigned, sender, signatures) {
      const { spending, witnesses } = signed(network, unsigned, sender, signatures)
      const transaction = transactionOf(spending)
      const raw = RawTx.encode({ ...transaction, segwitFlag: true, witnesses: witnesses.map(requireMade) })
      return { raw, hash: txidOf(RawOldTx.encode(transaction)) } satisfies SignedTransaction
    },
    fromPsbt: importPsbt,
    toPsbt: (unsigned, sender, signatures) => signedPsbt(unsigned, signed(network, unsigned, sender, signatures).witnesses),
  }
}

/** The witness of each input; null where there is no signature. */
function signed(network: BTC_NETWORK, unsigned: Uint8Array, sender: Sender, signatures: readonly (MadeSignature | null)[]) {
  const { spending } = understood(network, sender, unsigned)
  const digests = digestsOf(sender, spending)
  if (signatures.length !== digests.length) throw new TransactionRefused(`${digests.length} signatures are needed`)
  const witnesses = signatures.map((made, index) => {
    const witness = made && witnessOf(sender, made.signature, digests[index]!)
    if (made && !witness) throw new TransactionRefused(`the signature of input ${index} does not verify`)
    return witness ?? null
  })
  return { spending, witnesses }
}

function requireMade(witness: Uint8Array[] | null, index: number): Uint8Array[] {
  if (!witness) throw new TransactionRefused(`the signature of input ${index} is missing`)
  return witness
}

/** @throws TransactionRefused unless every input spends what was paid to the sender, of an amount that is certain, and every output is accounted for */
function understood(network: BTC_NETWORK, sender: Sender, unsigned: Uint8Array) {
  if (addressOf(network, sender.scheme, sender.publicKey) !== sender.address)
    throw new TransactionRefused('the address is not that of the key')
  const spending = readPsbt(unsigned)
  const { inputs, outputs } = spending
  checkInputs(inputs, scriptOf(network, sender.address), sender.scheme === 'frost-secp256k1-tr')
  const [spent, paid] = [total(inputs), total(outputs)]
  if (spent > MAX_MONEY) throw new TransactionRefused('there is not as much money')
  if (paid > spent) throw new TransactionRefused('more is paid than spent')
  const effect = { ...effectOf(network, sender, outputs), fee: spent - paid, conflicts: inputs.map(conflictOf) }
  return { spending, effect }
}

function checkInputs(inputs: readonly Coin[], script: Uint8Array, isTaproot: boolean): void {
  if (inputs.length === 0 || inputs.length > MAX_INPUTS) throw new TransactionRefused(`there must be 1 to ${MAX_INPUTS} inputs`)
  if (new Set(inputs.map(conflictOf)).size !== inputs.length) throw new TransactionRefused('an output is spent twice')
  for (const [place, input] of inputs.entries()) {
    if (!equalBytes(input.script, script)) throw new TransactionRefused(`input ${place} spends what was not paid to the sender`)
    if (isTaproot ? input.previous !== null : !isMadeBy(input.previous, input))
      throw new TransactionRefused(
        `input ${place}: the transaction before must be there for P2WPKH, and have paid what is said; not for P2TR`,
      )
  }
}

/**
 * Without it, whoever chooses what is signed could tell a small amount for one input at one time, for another one at another time, and put together the
 * signatures that were made of the true ones: a fee that nobody has agreed to.
 */
function isMadeBy(previous: Uint8Array | null, { txid, index, amount, script }: Coin): boolean {
  if (!previous || txidOf(previous) !== txid) return false
  const output = RawOldTx.decode(previous).outputs[index]
  return output !== undefined && output.amount === amount && equalBytes(output.script, script)
}

/** One recipient, and with it a memo and what comes back; or all comes back, and it is a cancellation. */
function effectOf(network: BTC_NETWORK, sender: Sender, outputs: Spending['outputs']): Pick<Effect, 'kind' | 'to' | 'amount' | 'memo'> {
  const memos = outputs.filter(({ script }) => memoOf(script) !== undefined)
  const payments = outputs
    .filter((output) => !memos.includes(output))
    .map(({ script, amount }) => ({ to: addressPaidBy(network, script), amount }))
  const [paid, ...others] = payments.filter(({ to }) => to !== sender.address)
  const change = payments.filter(({ to }) => to === sender.address)
  if (change.length > 1 || others.length > 0 || memos.length > 1)
    throw new TransactionRefused('there is more than one recipient, change or memo')
  if (memos.some(({ amount }) => amount !== 0n)) throw new TransactionRefused('a memo would take money')
  if (!paid) {
    if (change.length === 0 || memos.length > 0) throw new TransactionRefused('nobody is paid')
    return { kind: 'cancellation', to: sender.address, amount: 0n, memo: null }
  }
  if (paid.to === undefined) throw new TransactionRefused('an output pays to no address')
  const [memo] = memos
  return { kind: 'transfer', to: paid.to, amount: paid.amount, memo: memo ? memoOf(memo.script)! : null }
}

/** BIP-341 (key path) or BIP-143, for each input. */
function digestsOf({ scheme, publicKey }: Sender, spending: Spending): readonly Uint8Array[] {
  const { version, lockTime, ...parts } = transactionOf(spending)
  const transaction = new Transaction({ version, lockTime, allowUnknownOutputs: true, disableScriptCheck: true })
  for (const { txid, index, sequence } of parts.inputs) transaction.addInput({ txid, index, sequence })
  for (const output of parts.outputs) transaction.addOutput(output)
  const { inputs } = spending
  if (scheme !== 'frost-secp256k1-tr') {
    const scriptCode = OutScript.encode({ type: 'pkh', hash: hash160(publicKey) })
    return inputs.map(({ amount }, index) => transaction.preimageWitnessV0(index, scriptCode, SigHash.ALL, amount))
  }
  const scripts = inputs.map(({ script }) => script)
  const amounts = inputs.map(({ amount }) => amount)
  return inputs.map((_, index) => transaction.preimageWitnessV1(index, scripts, SigHash.DEFAULT, amounts))
}

/** Undefined when the signature does not verify. One of ECDSA has to have its s in the lower half (BIP-146), as nodes relay no other. */
function witnessOf({ scheme, publicKey }: Sender, signature: Uint8Array, digest: Uint8Array): Uint8Array[] | undefined {
  if (signature.length !== 64) return undefined
  if (scheme === 'frost-secp256k1-tr') return schnorr.verify(signature, digest, publicKey) ? [signature] : undefined
  if (!secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true })) return undefined
  const der = secp256k1.Signature.fromBytes(signature, 'compact').toBytes('der')
  return [concatBytes(der, Uint8Array.of(SigHash.ALL)), publicKey]
}

const total = (parts: readonly { readonly amount: bigint }[]) => parts.reduce((sum, { amount }) => sum + amount, 0n)
