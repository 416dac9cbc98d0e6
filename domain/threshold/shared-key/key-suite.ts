import { type CurvePoint, type CurvePointCons, normalizeZ } from '@noble/curves/abstract/curve.js'
import { getMinHashLength, mapHashToField } from '@noble/curves/abstract/modular.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { ProtocolAbort, type RandomBytes } from '../protocol.ts'

/** A group whose elements have the operations that shared keys need. */
export type Group<P extends CurvePoint<bigint, P>> = CurvePointCons<P>

/**
 * What tells the keys of one scheme from those of another, however they sign: all are shared by a polynomial over the scalars of a group.
 * Elements are sent as `Point.toBytes()`; in signatures and public keys they stand as `encodePublic` writes them.
 */
export type KeySuite<P extends CurvePoint<bigint, P>> = {
  readonly scheme: string
  readonly Point: Group<P>
  /** Length of an encoded element, in bytes. */
  readonly elementBytes: number
  /** Length of an element as `encodePublic` writes it, in bytes. */
  readonly publicBytes: number
  /** The hash of the proof of knowledge, onto scalars. */
  readonly hashToScalar: (purpose: 'dkg', data: Uint8Array) => bigint
  /** The sum of the elements times the scalars, all of them public: in as little time as the curve allows. */
  readonly linearCombination: (elements: readonly P[], scalars: readonly bigint[]) => P
  /** The form of an element in signatures and public keys. */
  readonly encodePublic: (point: P) => Uint8Array
  readonly decodePublic: (bytes: Uint8Array) => P
  /** Whether decoding what `encodePublic` wrote gives this point back, and not its negative. */
  readonly isPublicForm: (point: P) => boolean
  /** What has to be added to a fresh secret key so that its public key can be used as it is. */
  readonly keyTweak: (publicKey: P) => bigint
  /** What has to be added to a key to get its non-hardened child, and the child's chain code. Throws when there is no such child. */
  readonly childTweak: (parent: P, chainCode: Uint8Array, index: number) => { tweak: bigint; chainCode: Uint8Array }
}

/**
 * Reads an element: of exact length, canonical, on the curve and not the identity. Whether it is in the prime-order group is not checked.
 */
export function decodePoint<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, bytes: Uint8Array): P {
  if (bytes.length !== suite.elementBytes) throw new Error('element of wrong length')
  const point = suite.Point.fromBytes(bytes)
  if (point.is0()) throw new Error('element is the identity')
  return point
}

/**
 * The same element in affine coordinates, from which its encodings and its parity are read without a division. The division here is shared by
 * all elements given.
 */
export function toAffine<P extends CurvePoint<bigint, P>>({ Point }: KeySuite<P>, ...elements: P[]): P[] {
  return normalizeZ(Point, elements)
}

/** DeserializeElement of RFC 9591, section 3.1: the prime-order group and nothing else. */
export function decodeElement<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, bytes: Uint8Array): P {
  return requirePrimeOrder(decodePoint(suite, bytes))
}

export function requirePrimeOrder<P extends CurvePoint<bigint, P>>(point: P): P {
  if (!point.isTorsionFree()) throw new Error('element outside the prime-order group')
  return point
}

/** Begins everything that is hashed for one purpose, and nothing that is hashed for another. */
export function domain<P extends CurvePoint<bigint, P>>({ scheme }: KeySuite<P>, purpose: string): Uint8Array {
  return utf8ToBytes(`quorate/${scheme}/${purpose}\0`)
}

/** A uniformly random scalar, not zero. */
export function randomScalar<P extends CurvePoint<bigint, P>>({ Point: { Fn } }: KeySuite<P>, rng: RandomBytes): bigint {
  const random = draw(rng, getMinHashLength(Fn.ORDER))
  const bytes = mapHashToField(random, Fn.ORDER, Fn.isLE)
  const scalar = Fn.fromBytes(bytes)
  random.fill(0)
  bytes.fill(0)
  return scalar
}

/** As many random bytes as asked for. @throws ProtocolAbort `invalid_parameters` */
export function draw(rng: RandomBytes, length: number): Uint8Array {
  const random = rng(length)
  if (random.length !== length) throw new ProtocolAbort('invalid_parameters', 'the random source gave too few or too many bytes')
  return random
}
