import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { isTransactionMessage } from '../solana/transaction-message.ts'
import { equalBytes } from '../threshold/rounds.ts'
import { isEcdsa } from '../threshold/scheme.ts'

const tag = sha256(utf8ToBytes('TapSighash'))
/** What is hashed for a signature that spends a taproot output begins with this (BIP-340, tagged hashes; BIP-341). */
const TAPROOT_SPENDING = concatBytes(tag, tag)
/** What is hashed last for every other signature of Bitcoin is a hash itself (BIP-143, and legacy transactions). */
const HASH_BYTES = 32

/**
 * Whether a signature over this message would be one of a transaction of some chain, or could be: what it does then nobody has looked at. With Ed25519
 * the message is what Solana signs; with the others its SHA-256 is what Bitcoin does, when the message is made for it. What Ethereum signs is a Keccak-256.
 */
export function hidesTransaction(message: Uint8Array, scheme: string): boolean {
  if (isEcdsa(scheme)) return message.length === HASH_BYTES
  if (scheme === 'frost-ed25519') return isTransactionMessage(message)
  return equalBytes(message.subarray(0, TAPROOT_SPENDING.length), TAPROOT_SPENDING)
}
