import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { DomainError } from '../../../domain/domain-error.ts'
import { isAddress, withChecksum } from '../../../domain/ethereum/address.ts'
import { InvalidPublicKey } from '../../../domain/ports/chain.ts'

/** The last 20 bytes of Keccak-256 over the point (Yellow Paper, appendix F), spelled with its checksum (ERC-55). @throws InvalidPublicKey */
export function addressOf(compressedKey: Uint8Array): string {
  return withChecksum(`0x${bytesToHex(keccak_256(pointOf(compressedKey)).subarray(12))}`)
}

/** Nobody has its key: what is sent there is lost. */
export const ZERO_ADDRESS = `0x${'00'.repeat(20)}`

/** Takes addresses in lower case, which have no checksum, and gives them theirs. As `Chain.readAddress`; all networks have the same addresses. */
export function readAddress(text: string, pointer: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new DomainError('address_malformed', 'an address is 0x and 40 hexadecimal digits', pointer)
  if (!isAddress(text))
    throw new DomainError('address_checksum_wrong', 'the capital letters are not those of the checksum (ERC-55): a digit is wrong', pointer)
  if (text === ZERO_ADDRESS) throw new DomainError('address_kind_not_supported', 'what is sent to the zero address is lost', pointer)
  return withChecksum(text.toLowerCase())
}

/** Both coordinates, 64 bytes. */
function pointOf(compressedKey: Uint8Array): Uint8Array {
  try {
    if (compressedKey.length !== 33) throw new RangeError('not compressed')
    return secp256k1.Point.fromBytes(compressedKey).toBytes(false).subarray(1)
  } catch (cause) {
    throw new InvalidPublicKey('no compressed point of secp256k1', { cause })
  }
}
