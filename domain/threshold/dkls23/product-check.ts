import { timingSafeEqual } from 'node:crypto'
import { bytesToNumberBE } from '@noble/curves/utils.js'
import { ProtocolAbort, type RandomBytes } from '../protocol.ts'
import { draw, toAffine } from '../shared-key/key-suite.ts'
import { STATISTICAL_SECURITY } from './parameters.ts'
import { reduceScalars } from './scalars.ts'
import { abscissaOfMultiple, timesGenerator } from './secret-multiples.ts'
import { type Element, suite } from './suite.ts'

const { Fn } = suite.Point

/** A cube root of one modulo the order: to multiply by it is next to no work (Gallant, Lambert and Vanstone, CRYPTO 2001). */
const LAMBDA = 0x5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72n

/** Of each half of a weight. */
const HALF_WEIGHT_BYTES = STATISTICAL_SECURITY / 16

/**
 * Makes sure that Alice has multiplied what she shows, R and pk: chi times each, less the commitment Gamma to her share of the product, is Bob's share
 * of it in the exponent. Both equations are checked as one, the second with a random weight: one multiplication by a secret instead of two.
 *
 * Only abscissae are compared, in which an element and its negative are alike. So chi·S is added on both sides, for a random S of which nobody could
 * know before: the negatives of the sums are equal as well only if chi is 0, or for one S of them all.
 * @throws ProtocolAbort `invalid_multiplication`
 */
export function requireProductsOf(
  [R, pk]: readonly [R: Element, pk: Element],
  { chi, gammas, shares }: { chi: bigint; gammas: readonly [u: Element, v: Element]; shares: readonly [u: bigint, v: bigint] },
  rng: RandomBytes,
): void {
  const weight = randomWeight(rng)
  const [shift] = reduceScalars(draw(rng, Fn.BYTES)) as [bigint]
  const factors = R.add(pk.multiplyUnsafe(weight)).add(timesGenerator(shift))
  const alices = gammas[0].add(gammas[1].multiplyUnsafe(weight))
  const bobs = timesGenerator(Fn.add(Fn.add(shares[0], Fn.mul(weight, shares[1])), Fn.mul(chi, shift)))
  const [factor, product] = toAffine(suite, factors, alices.add(bobs)) as [Element, Element]
  if (product.is0() || !timingSafeEqual(abscissaOfMultiple(factor, chi), product.toBytes().subarray(1)))
    throw new ProtocolAbort('invalid_multiplication', 'what was multiplied is not what was shown')
}

/** One of 2^80 scalars a + b·lambda, where a and b are short: multiplying by one takes half the doublings that it takes for a number below 2^80. */
function randomWeight(rng: RandomBytes): bigint {
  const short = () => bytesToNumberBE(draw(rng, HALF_WEIGHT_BYTES))
  return Fn.create(short() + short() * LAMBDA)
}
