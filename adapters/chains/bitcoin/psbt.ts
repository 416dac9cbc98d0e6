import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { RawPSBTV0 } from '@scure/btc-signer/psbt.js'
import { RawOldTx, RawTx } from '@scure/btc-signer/script.js'
import { equalBytes, sha256x2 } from '@scure/btc-signer/utils.js'
import { MAX_TRANSACTION_BYTES, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'

/**
 * An output that is spent. `previous` is the transaction that made it, without witnesses: it proves the amount, since its hash is the txid. BIP-143 lets each
 * signature vouch for the amount of its own input only; with BIP-341 each vouches for all of them, and nothing else is needed.
 */
export type Coin = {
  /** As people write it, which is the reverse of what is hashed. */
  readonly txid: string
  readonly index: number
  readonly amount: bigint
  readonly script: Uint8Array
  readonly previous: Uint8Array | null
}

export type Payment = { readonly script: Uint8Array; readonly amount: bigint }

/** All that our transactions differ in: they are of version 2, with no lock time, and can be replaced. */
export type Spending = { readonly inputs: readonly Coin[]; readonly outputs: readonly Payment[] }

/** Tells that the transaction can be replaced (BIP-125), and is bound to no time (BIP-68). */
export const SEQUENCE = 0xfffffffd
const VERSION = 2

type Psbt = Parameters<typeof RawPSBTV0.encode>[0]

/** The PSBT (BIP-174, version 0) of a spending in its one spelling. */
export function writePsbt({ inputs, outputs }: Spending): Uint8Array {
  return RawPSBTV0.encode({
    global: { unsignedTx: transactionOf({ inputs, outputs }) },
    inputs: inputs.map(({ amount, script, previous }) => ({
      ...(previous && { nonWitnessUtxo: RawTx.decode(previous) }),
      witnessUtxo: { amount, script },
    })),
    outputs: outputs.map(() => ({})),
  } as Psbt)
}

/**
 * What a PSBT spends, when it is spelled as `writePsbt` does. So there is nothing in it that is not looked at, such as another kind of signature hash.
 * @throws TransactionRefused
 */
export function readPsbt(bytes: Uint8Array): Spending {
  const spending = spendingOf(decode(bytes))
  if (!isSpelledAs(bytes, spending)) throw new TransactionRefused('the PSBT holds something that is not understood')
  return spending
}

/**
 * A PSBT that another wallet has made, as one of ours: derivations, scripts and keys are left out, as is all else that has no bearing on what is signed.
 * @throws TransactionRefused when the transaction itself would be another one, or somebody has signed it
 */
export function importPsbt(bytes: Uint8Array): Uint8Array {
  const psbt = decode(bytes)
  const { unsignedTx } = psbt.global
  const { inputs, outputs } = spendingOf(psbt)
  // Each signature of taproot vouches for all amounts.
  const spending = { inputs: inputs.map((input) => (isTaproot(input.script) ? { ...input, previous: null } : input)), outputs }
  if (!unsignedTx || !equalBytes(RawOldTx.encode(unsignedTx), RawOldTx.encode(transactionOf(spending))))
    throw new TransactionRefused('the transaction must be of version 2, have no lock time, and all sequences must be 0xfffffffd')
  for (const { sighashType, partialSig, tapKeySig, finalScriptSig, finalScriptWitness, tapLeafScript } of psbt.inputs) {
    if (partialSig || tapKeySig || finalScriptSig || finalScriptWitness) throw new TransactionRefused('the PSBT has signatures already')
    if (tapLeafScript) throw new TransactionRefused('the PSBT spends by a script')
    if (sighashType !== undefined && sighashType > 1) throw new TransactionRefused('only all of a transaction is signed (SIGHASH_ALL)')
  }
  return writePsbt(spending)
}

/**
 * The PSBT with the witnesses that there are, null for those that are missing. All of them finalize it (BIP-174); some are partial signatures, for ECDSA with
 * their keys, and for taproot those of the key path (BIP-371).
 */
export function signedPsbt(unsigned: Uint8Array, witnesses: readonly (readonly Uint8Array[] | null)[]): Uint8Array {
  const psbt = decode(unsigned)
  const isWhole = witnesses.every((witness) => witness !== null)
  const fieldsOf = (witness: readonly Uint8Array[] | null | undefined) => {
    const [signature, publicKey] = witness ?? []
    if (!signature) return {}
    if (isWhole) return { finalScriptWitness: witness }
    return publicKey ? { partialSig: [[publicKey, signature]] } : { tapKeySig: signature }
  }
  const inputs = psbt.inputs.map((input, index) => ({ ...input, ...fieldsOf(witnesses[index]) }))
  return RawPSBTV0.encode({ ...psbt, inputs } as Psbt)
}

/** The transaction as it is in the PSBT, and as what is signed is made from. */
export function transactionOf({ inputs, outputs }: Spending) {
  return {
    version: VERSION,
    inputs: inputs.map(({ txid, index }) => ({ txid: hexToBytes(txid), index, finalScriptSig: new Uint8Array(), sequence: SEQUENCE })),
    outputs: outputs.map(({ amount, script }) => ({ amount, script })),
    lockTime: 0,
  }
}

/** What a transaction is called: the hash of it without its witnesses, backwards. */
export const txidOf = (withoutWitnesses: Uint8Array): string => bytesToHex(sha256x2(withoutWitnesses).reverse())

/** What it will be called once it is signed. */
export const unsignedTxid = (spending: Spending): string => txidOf(RawOldTx.encode(transactionOf(spending)))

/** A transaction as it is hashed for its name. @throws when the bytes are none */
export function withoutWitnesses(raw: Uint8Array): Uint8Array {
  const { version, inputs, outputs, lockTime } = RawTx.decode(raw)
  return RawOldTx.encode({ version, inputs, outputs, lockTime })
}

/** @throws TransactionRefused */
function decode(bytes: Uint8Array): Psbt {
  if (bytes.length > MAX_TRANSACTION_BYTES) throw new TransactionRefused('the transaction is too long')
  try {
    return RawPSBTV0.decode(bytes)
  } catch (cause) {
    throw new TransactionRefused('this is no PSBT of version 0', { cause })
  }
}

function isSpelledAs(bytes: Uint8Array, spending: Spending): boolean {
  try {
    return equalBytes(writePsbt(spending), bytes)
  } catch {
    // Of a transaction before, which has no inputs and so is none, and which its coder does not write.
    return false
  }
}

function spendingOf({ global, inputs }: Psbt): Spending {
  const unsignedTx = global.unsignedTx as ReturnType<typeof transactionOf> | undefined
  if (!unsignedTx) throw new TransactionRefused('the PSBT has no transaction')
  return {
    inputs: unsignedTx.inputs.map(({ txid, index }, place) => {
      const { witnessUtxo: told, nonWitnessUtxo } = inputs[place]!
      const witnessUtxo = told ?? nonWitnessUtxo?.outputs[index]
      if (!witnessUtxo) throw new TransactionRefused(`input ${place}: what it spends is not told`)
      const previous = nonWitnessUtxo ? RawOldTx.encode(nonWitnessUtxo) : null
      return { txid: bytesToHex(txid), index, ...witnessUtxo, previous }
    }),
    outputs: unsignedTx.outputs,
  }
}

/** Version 1, and a program of 32 bytes (BIP-341). */
const isTaproot = (script: Uint8Array): boolean => script.length === 34 && script[0] === 0x51 && script[1] === 0x20
