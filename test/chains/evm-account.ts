import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { addressOf } from '../../adapters/chains/evm/address.ts'
import type { SentTransaction } from '../../domain/ports/chain-node.ts'
import type { MadeSignature, Sender, TransactionCodec } from '../../domain/ports/transaction-codec.ts'

/** An account whose key is in one place, for tests of what is around signing. */
export type EvmAccount = {
  readonly sender: Sender
  readonly address: string
  /** The signed transaction as it is broadcast. */
  sign(codec: TransactionCodec, unsigned: Uint8Array): SentTransaction
}

/** @param secret 32 bytes in hexadecimal; another one each time without */
export function evmAccount(secret?: string): EvmAccount {
  const key = secret === undefined ? secp256k1.utils.randomSecretKey() : hexToBytes(secret)
  const publicKey = secp256k1.getPublicKey(key)
  const sender: Sender = { scheme: 'dkls23-secp256k1', publicKey, address: addressOf(publicKey) }
  return {
    sender,
    address: sender.address,
    sign(codec, unsigned) {
      const signatures = codec.messages(unsigned, sender).map((digest) => signature(digest, key))
      return { ...codec.attach(unsigned, sender, signatures), sender, conflicts: codec.read(unsigned, sender).conflicts, validity: null }
    },
  }
}

function signature(digest: Uint8Array, key: Uint8Array): MadeSignature {
  const recovered = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' })
  return { signature: recovered.subarray(1), recoveryId: recovered[0]! }
}
