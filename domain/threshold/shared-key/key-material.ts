import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type PartyIndex, ProtocolAbort, type SigningKey, type Threshold } from '../protocol.ts'
import { equalBytes } from '../rounds.ts'
import { MAX_PARTIES } from '../scheme.ts'
import { decodePoint, type KeySuite } from './key-suite.ts'

/** First byte of what is stored: the version of its layout. */
const VERSION = 2
const HEADER_BYTES = 3
const CHAIN_CODE_BYTES = 32

/** Layout: version (1) ‖ threshold (1) ‖ parties (1) ‖ chain code (32) ‖ group public key ‖ verifying share of participant 1, 2, … */
export type PublicPackage<P> = Threshold & {
  readonly chainCode: Uint8Array
  readonly publicKey: P
  readonly verifyingShare: (party: PartyIndex) => P
}

/** Layout: version (1) ‖ self (1) ‖ scalar (32) ‖ SHA-256 of the public package (32). */
export type Share = { readonly self: PartyIndex; readonly scalar: Uint8Array; readonly packageDigest: Uint8Array }

export function isThreshold({ threshold, parties }: Threshold): boolean {
  return Number.isInteger(threshold) && Number.isInteger(parties) && threshold >= 1 && threshold <= parties && parties <= MAX_PARTIES
}

export function encodePublicPackage<P extends CurvePoint<bigint, P>>(
  { threshold, parties, chainCode, publicKey }: Omit<PublicPackage<P>, 'verifyingShare'>,
  verifyingShares: readonly P[],
): Uint8Array {
  const elements = [publicKey, ...verifyingShares].map((element) => element.toBytes())
  return concatBytes(Uint8Array.of(VERSION, threshold, parties), chainCode, ...elements)
}

/**
 * Verifying shares are read when asked for: only blame needs them. Elements are not checked to be in the prime-order group: a participant
 * knows the package from its sealed share, and for anybody else the signature that comes out is checked.
 * @throws ProtocolAbort `invalid_key`
 */
export function decodePublicPackage<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, bytes: Uint8Array): PublicPackage<P> {
  const [version, threshold = 0, parties = 0] = bytes
  const elementsAt = HEADER_BYTES + CHAIN_CODE_BYTES
  if (version !== VERSION || !isThreshold({ threshold, parties }) || bytes.length !== elementsAt + (parties + 1) * suite.elementBytes)
    throw new ProtocolAbort('invalid_key', 'malformed public package')
  const element = (index: number) => {
    const start = elementsAt + index * suite.elementBytes
    try {
      return decodePoint(suite, bytes.subarray(start, start + suite.elementBytes))
    } catch {
      throw new ProtocolAbort('invalid_key', 'malformed element in the public package')
    }
  }
  return { threshold, parties, chainCode: bytes.slice(HEADER_BYTES, elementsAt), publicKey: element(0), verifyingShare: element }
}

export function encodeShare(self: PartyIndex, scalar: Uint8Array, publicPackage: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION, self), scalar, sha256(publicPackage))
}

/**
 * Reads a share and makes sure that the public package is the one it was generated with. `scalar` is a view, wiped with the share.
 * @throws ProtocolAbort `invalid_key`
 */
export function decodeShare<P extends CurvePoint<bigint, P>>({ Point: { Fn } }: KeySuite<P>, { share, publicPackage }: SigningKey): Share {
  const [version, self = 0] = share
  if (version !== VERSION || self < 1 || self > MAX_PARTIES) throw new ProtocolAbort('invalid_key', 'malformed key share')
  const packageDigest = share.subarray(2 + Fn.BYTES)
  if (!equalBytes(packageDigest, sha256(publicPackage)))
    throw new ProtocolAbort('invalid_key', 'the public package is not the one the share was generated with')
  return { self, scalar: share.subarray(2, 2 + Fn.BYTES), packageDigest }
}

/** @throws ProtocolAbort `invalid_key` unless the share is of this package, and its secret is behind the holder's verifying share */
export function checkShare<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, key: SigningKey): void {
  const { Point } = suite
  const { self, scalar } = decodeShare(suite, key)
  const publicPackage = decodePublicPackage(suite, key.publicPackage)
  const secret = Point.Fn.fromBytes(scalar)
  if (self > publicPackage.parties || Point.Fn.is0(secret) || !Point.BASE.multiply(secret).equals(publicPackage.verifyingShare(self)))
    throw new ProtocolAbort('invalid_key', "the share is not behind its holder's verifying share")
}
