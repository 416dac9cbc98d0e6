import { concatBytes } from '@noble/hashes/utils.js'
import { ProtocolAbort, type RandomBytes } from '../protocol.ts'
import { draw } from '../shared-key/key-suite.ts'
import { STATISTICAL_SECURITY } from './parameters.ts'
import { type Element, suite } from './suite.ts'

const { Point } = suite
const { Fn } = Point
const WEIGHT_BYTES = STATISTICAL_SECURITY / 8

/**
 * Makes sure that Alice has multiplied what she shows, R and pk: chi times each, less the commitment Gamma to her share of the product, is Bob's share
 * of it in the exponent. Both equations are checked as one, the second with a random weight: one multiplication by a secret instead of two.
 * @throws ProtocolAbort `invalid_multiplication`
 */
export function requireProductsOf(
  [R, pk]: readonly [R: Element, pk: Element],
  { chi, gammas, shares }: { chi: bigint; gammas: readonly [u: Element, v: Element]; shares: readonly [u: bigint, v: bigint] },
  rng: RandomBytes,
): void {
  const weight = Fn.fromBytes(concatBytes(new Uint8Array(Fn.BYTES - WEIGHT_BYTES), draw(rng, WEIGHT_BYTES)))
  const factors = R.add(pk.multiplyUnsafe(weight))
  const alices = gammas[0].add(gammas[1].multiplyUnsafe(weight))
  const bobs = Point.BASE.multiply(Fn.add(shares[0], Fn.mul(weight, shares[1])))
  if (!factors.multiply(chi).equals(alices.add(bobs)))
    throw new ProtocolAbort('invalid_multiplication', 'what was multiplied is not what was shown')
}
