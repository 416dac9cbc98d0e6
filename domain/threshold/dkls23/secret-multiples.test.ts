import test from 'ava'
import fc from 'fast-check'
import { abscissaOfMultiple, timesGenerator } from './secret-multiples.ts'
import { suite } from './suite.ts'

const { BASE, Fn } = suite.Point
const scalar = fc.oneof(fc.constantFrom(1n, 2n, Fn.ORDER - 1n), fc.bigInt({ min: 1n, max: Fn.ORDER - 1n }))

test('multiples are those that the curve says', (t) => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      const point = timesGenerator(a)
      t.true(point.equals(BASE.multiply(a)))
      t.deepEqual(Uint8Array.from(abscissaOfMultiple(point, b)), point.multiply(b).toBytes().subarray(1))
    }),
    { numRuns: 20 },
  )
})

test('there is no multiple by zero, which would tell of no secret', (t) => {
  t.throws(() => timesGenerator(0n))
  t.throws(() => abscissaOfMultiple(BASE, 0n))
})
