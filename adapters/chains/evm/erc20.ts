import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { withChecksum } from '../../../domain/ethereum/address.ts'
import type { Log } from './answers.ts'

/** `transfer(address,uint256)` (ERC-20): the first four bytes of the signature's Keccak-256. */
const TRANSFER = hexToBytes('a9059cbb')
/** `balanceOf(address)`. */
const BALANCE_OF = hexToBytes('70a08231')
const WORD = 32

/** Keccak-256 of `Transfer(address,address,uint256)`: the first topic of the log of every transfer. */
export const TRANSFER_TOPIC = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

/** @param amount base units of the token, below 2^256 */
export const transferCall = (to: string, amount: bigint): Uint8Array =>
  concatBytes(TRANSFER, addressWord(to), numberToBytesBE(amount, WORD))

export const balanceCall = (owner: string): Uint8Array => concatBytes(BALANCE_OF, addressWord(owner))

/** Undefined for a call of anything else, and for one with a byte too few, too many, or where contracts read none (ABI, address in 32 bytes). */
export function readTransferCall(data: Uint8Array): { to: string; amount: bigint } | undefined {
  if (data.length !== TRANSFER.length + 2 * WORD || TRANSFER.some((byte, index) => data[index] !== byte)) return undefined
  const to = readAddressWord(data.subarray(TRANSFER.length, TRANSFER.length + WORD))
  return to === undefined ? undefined : { to, amount: bytesToNumberBE(data.subarray(TRANSFER.length + WORD)) }
}

/** Addresses have their checksums. Undefined for logs of anything else, such as that of ERC-721, which has the same name and a topic more. */
export function readTransferLog({
  topics: [name, from, to, ...others],
  data,
}: Log): { from: string; to: string; amount: bigint } | undefined {
  if (!name || !from || !to || others.length > 0 || `0x${bytesToHex(name)}` !== TRANSFER_TOPIC || data.length !== WORD) return undefined
  const [sender, recipient] = [readAddressWord(from), readAddressWord(to)]
  if (sender === undefined || recipient === undefined) return undefined
  return { from: sender, to: recipient, amount: bytesToNumberBE(data) }
}

/** An address as the ABI and topics of logs have it, in 32 bytes. */
export const addressWord = (address: string): Uint8Array => concatBytes(new Uint8Array(12), hexToBytes(address.slice(2)))

/** With its checksum; undefined for another number than that of an address. */
export const readAddressWord = (word: Uint8Array): string | undefined =>
  word.length === WORD && word.subarray(0, 12).every((byte) => byte === 0) ? withChecksum(`0x${bytesToHex(word.subarray(12))}`) : undefined
