import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { type Chain, InvalidPublicKey } from '../../../domain/ports/chain.ts'
import {
  type Effect,
  type MadeSignature,
  type Sender,
  type SignedTransaction,
  type TransactionCodec,
  TransactionRefused,
} from '../../../domain/ports/transaction-codec.ts'
import { addressOf, ZERO_ADDRESS } from './address.ts'
import { readTransferCall } from './erc20.ts'
import { nonceConflict } from './nonce-conflict.ts'
import { type EvmSignature, gasPriceOf, readTransaction, type TransactionFields, writeTransaction } from './transaction-fields.ts'

/**
 * Transactions of one chain of this kind that move its coin or a token of ERC-20, and empty ones to oneself, which cancel. A fee is all the gas at the
 * highest price: what a rollup charges for its data besides is only in it where that is charged as gas.
 */
export function transactionsOf(chain: Pick<Chain, 'id' | 'nativeAsset'>): TransactionCodec {
  const fieldsOf = (unsigned: Uint8Array, sender: Sender): TransactionFields => {
    requireOwnAddress(sender)
    const fields = readTransaction(unsigned)
    if (chain.id !== `eip155:${fields.chainId}`) throw new TransactionRefused(`for the chain eip155:${fields.chainId}, not ${chain.id}`)
    return fields
  }
  const read = (unsigned: Uint8Array, sender: Sender): Effect => {
    const fields = fieldsOf(unsigned, sender)
    return {
      ...movementOf(chain, fields, sender.address),
      fee: fields.gas * gasPriceOf(fields.fees),
      memo: null,
      conflicts: [nonceConflict(sender.address, fields.nonce)],
      lifetimeSeconds: null,
    }
  }
  return {
    read,
    messages(unsigned, sender) {
      read(unsigned, sender)
      return [keccak_256(unsigned)]
    },
    attach(unsigned, sender, signatures) {
      read(unsigned, sender)
      if (signatures.length !== 1) throw new TransactionRefused('one signature is needed')
      return attach(readTransaction(unsigned), signatureBy(sender, keccak_256(unsigned), signatures[0]!))
    },
  }
}

function requireOwnAddress({ scheme, publicKey, address }: Sender): void {
  if (scheme !== 'dkls23-secp256k1') throw new TransactionRefused(`keys of ${scheme} have no account here`)
  let own: string
  try {
    own = addressOf(publicKey)
  } catch (cause) {
    if (cause instanceof InvalidPublicKey) throw new TransactionRefused('the key of the sender is no key', { cause })
    throw cause
  }
  if (address !== own) throw new TransactionRefused('the address of the sender is not that of its key')
}

/** Cases are apart by their data and value, so that each says what else may not be there. */
function movementOf(
  { id, nativeAsset }: Pick<Chain, 'id' | 'nativeAsset'>,
  { to, value, data }: TransactionFields,
  sender: string,
): Pick<Effect, 'kind' | 'asset' | 'to' | 'amount'> {
  if (data.length === 0 && value === 0n && to === sender) return { kind: 'cancellation', asset: nativeAsset, to, amount: 0n }
  if (data.length === 0) return transferOf({ asset: nativeAsset, to, amount: value }, [sender])
  const call = readTransferCall(data)
  if (!call) throw new TransactionRefused('it calls something else than transfer(address,uint256)')
  if (value !== 0n) throw new TransactionRefused('it sends coins along with a call')
  if (to === sender || to === ZERO_ADDRESS) throw new TransactionRefused('what it calls is no token')
  return transferOf({ asset: `${id}/erc20:${to}`, ...call }, [sender, to])
}

/** `barred` are those to whom it makes no sense: back to the sender, or to the contract of the token, which keeps it for ever. */
function transferOf(
  moved: Pick<Effect, 'asset' | 'to' | 'amount'>,
  barred: readonly string[],
): Pick<Effect, 'kind' | 'asset' | 'to' | 'amount'> {
  if (moved.amount === 0n) throw new TransactionRefused('it moves nothing')
  if (moved.to === ZERO_ADDRESS) throw new TransactionRefused('what it moves would be lost')
  if (barred.includes(moved.to)) throw new TransactionRefused('the recipient is its sender, or the token itself')
  return { kind: 'transfer', ...moved }
}

/** @throws TransactionRefused unless it is the sender's, with s in the lower half (EIP-2), and recovers to its key */
function signatureBy(sender: Sender, digest: Uint8Array, { signature, recoveryId }: MadeSignature): EvmSignature {
  if (signature.length !== 64) throw new TransactionRefused('a signature has 64 bytes')
  // 2 and 3, for an r beyond the group's order, cannot be told in a transaction.
  if (recoveryId !== 0 && recoveryId !== 1) throw new TransactionRefused('the recovery id must be 0 or 1')
  if (!recoversTo(sender.publicKey, digest, concatBytes(Uint8Array.of(recoveryId), signature)))
    throw new TransactionRefused('the signature is not that of the sender, or its s is not in the lower half')
  return { r: signature.subarray(0, 32), s: signature.subarray(32), yParity: recoveryId }
}

function recoversTo(publicKey: Uint8Array, digest: Uint8Array, recoverable: Uint8Array): boolean {
  try {
    return secp256k1.verify(recoverable, digest, publicKey, { prehash: false, lowS: true, format: 'recovered' })
  } catch {
    return false
  }
}

function attach(fields: TransactionFields, signature: EvmSignature): SignedTransaction {
  const raw = writeTransaction(fields, signature)
  return { raw, hash: `0x${bytesToHex(keccak_256(raw))}` }
}
