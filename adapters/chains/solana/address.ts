import { ed25519 } from '@noble/curves/ed25519.js'
import { base58 } from '@scure/base'
import { DomainError } from '../../../domain/domain-error.ts'
import { InvalidPublicKey } from '../../../domain/ports/chain.ts'

/**
 * The key in base58: an address is a public key here. One of small order would let anybody sign, one with a torsion part is none that holders can share.
 * @throws InvalidPublicKey
 */
export function addressOf(publicKey: Uint8Array): string {
  if (!isKey(publicKey)) throw new InvalidPublicKey('no Ed25519 key of prime order')
  return base58.encode(publicKey)
}

/** As `Chain.readAddress`. There is no checksum, clusters share their addresses, and those of programs are no points of the curve: 32 bytes are one. */
export function readAddress(text: string, pointer: string): string {
  if (!/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(text) || base58.decode(text).length !== 32)
    throw new DomainError('address_malformed', 'an address is 32 bytes in base58', pointer)
  return text
}

function isKey(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes)
    return !point.is0() && point.isTorsionFree()
  } catch {
    return false
  }
}
