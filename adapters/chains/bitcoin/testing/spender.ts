/** An account whose key is held in one piece, in place of a quorum, and the outputs that it could spend. */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { RawOldTx } from '@scure/btc-signer/script.js'
import type { MadeSignature, Sender } from '../../../../domain/ports/transaction-codec.ts'
import type { Scheme } from '../../../../domain/threshold/scheme.ts'
import { addressOf } from '../address.ts'
import type { Network } from '../networks.ts'
import { scriptOf } from '../output-script.ts'
import { type Coin, type Payment, txidOf } from '../psbt.ts'

export type Spender = { readonly sender: Sender; readonly script: Uint8Array; sign(message: Uint8Array): MadeSignature }

export function spenderOf({ parameters }: Network, scheme: Scheme, secretKey = secp256k1.utils.randomSecretKey()): Spender {
  const isTaproot = scheme === 'frost-secp256k1-tr'
  const publicKey = isTaproot ? schnorr.getPublicKey(secretKey) : secp256k1.getPublicKey(secretKey)
  const address = addressOf(parameters, scheme, publicKey)
  return {
    sender: { scheme, publicKey, address },
    script: scriptOf(parameters, address),
    sign: (message) => ({
      signature: isTaproot ? schnorr.sign(message, secretKey) : secp256k1.sign(message, secretKey, { prehash: false }),
      recoveryId: null,
    }),
  }
}

/** A transaction that pays these, without witnesses; another one for each number. */
export function transactionPaying(outputs: readonly Payment[], number: number): Uint8Array {
  const input = {
    txid: hexToBytes(number.toString(16).padStart(64, '0')),
    index: 0,
    finalScriptSig: new Uint8Array(),
    sequence: 0xffffffff,
  }
  return RawOldTx.encode({ version: 1, inputs: [input], outputs: [...outputs], lockTime: 0 } as Parameters<typeof RawOldTx.encode>[0])
}

/** Outputs of these amounts that were paid to the spender. */
export function coinsOf({ sender, script }: Spender, amounts: readonly bigint[]): Coin[] {
  return amounts.map((amount, number) => {
    const index = number % 3
    const outputs = Array.from({ length: index + 1 }, (_, place) => ({ script, amount: place === index ? amount : 1_000n }))
    const previous = transactionPaying(outputs, number + 1)
    return { txid: txidOf(previous), index, amount, script, previous: sender.scheme === 'frost-secp256k1-tr' ? null : previous }
  })
}
