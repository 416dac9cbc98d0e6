import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** Whether this is an address: `0x` and 40 hexadecimal digits, in lower case or with the checksum of ERC-55. */
export function isAddress(text: string): boolean {
  if (!/^0x[0-9a-f]{40}$/i.test(text)) return false
  return text === text.toLowerCase() || text === withChecksum(text.toLowerCase())
}

/** The address with the case of its letters as ERC-55 has it; `address` is in lower case. */
export function withChecksum(address: string): string {
  const digits = address.slice(2)
  const digest = bytesToHex(keccak_256(utf8ToBytes(digits)))
  return `0x${[...digits].map((digit, index) => (digest.charAt(index) >= '8' ? digit.toUpperCase() : digit)).join('')}`
}
