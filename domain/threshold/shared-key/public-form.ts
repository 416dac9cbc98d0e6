import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import type { KeySuite } from './key-suite.ts'

/**
 * How secret and public values change for the tweaked key in its public form, ±(±key + tweak). The Lagrange coefficients add up to one, so
 * it is the same change for every share.
 */
export function publicForm<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, publicKey: P) {
  const { Point } = suite
  const { Fn } = Point
  const inForm = (point: P) => (suite.isPublicForm(point) ? point : point.negate())
  const tweak = suite.keyTweak(inForm(publicKey))
  const shift = Point.BASE.multiplyUnsafe(tweak)
  const first = !suite.isPublicForm(publicKey)
  const second = !suite.isPublicForm(inForm(publicKey).add(shift))
  const element = (point: P) => {
    const tweaked = (first ? point.negate() : point).add(shift)
    return second ? tweaked.negate() : tweaked
  }
  const scalar = (value: bigint) => {
    const tweaked = Fn.add(first ? Fn.neg(value) : value, tweak)
    return second ? Fn.neg(tweaked) : tweaked
  }
  return { element, scalar }
}
