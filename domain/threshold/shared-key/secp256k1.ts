import { secp256k1 } from '@noble/curves/secp256k1.js'
import { numberToBytesBE } from '@noble/curves/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'

type Point = typeof secp256k1.Point.BASE

const { Point } = secp256k1

/** Two by two, as this is how the library uses the curve's endomorphism to halve the doublings. */
export function linearCombination(elements: readonly Point[], scalars: readonly bigint[]): Point {
  let sum = Point.ZERO
  for (let i = 0; i < elements.length; i += 2) {
    const [first, second] = elements.slice(i, i + 2)
    const pair = second ? first!.mulAddUnsafe(scalars[i]!, second, scalars[i + 1]!) : first!.multiplyUnsafe(scalars[i]!)
    sum = sum.add(pair)
  }
  return sum
}

/** CKDpub of BIP-32. */
export function childTweak(parent: Point, chainCode: Uint8Array, index: number) {
  const I = hmac(sha512, chainCode, concatBytes(parent.toBytes(), numberToBytesBE(index, 4)))
  return { tweak: Point.Fn.fromBytes(I.subarray(0, 32)), chainCode: I.subarray(32) }
}
