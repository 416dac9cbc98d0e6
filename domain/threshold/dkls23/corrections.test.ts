import test from 'ava'
import fc from 'fast-check'
import { correctionsOf } from './corrections.ts'
import { ORDER } from './parameters.ts'
import { decodeScalars, encodeScalars, modulo } from './scalars.ts'

const MOST = 2n ** 256n - 1n
const edges = fc.constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 128n, ORDER - 1n, ORDER, ORDER + 1n, MOST)
const anything = fc.oneof(edges, fc.bigInt({ min: 0n, max: MOST }))

test('a correction is the first element less the second plus what is transferred, whatever the three are', (t) => {
  const pair = fc.array(anything, { minLength: 2, maxLength: 2 })
  const transfers = fc.array(fc.tuple(pair, pair), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(transfers, pair, (vectors, vector) => {
      const zeros = vectors.flatMap(([zero]) => zero)
      const ones = vectors.flatMap(([, one]) => one)
      t.deepEqual(
        decodeScalars(correctionsOf(encodeScalars(zeros), encodeScalars(ones), encodeScalars(vector))),
        zeros.map((zero, i) => modulo(zero - ones[i]! + vector[i % 2]!)),
      )
    }),
    { numRuns: 500 },
  )
})

test('carries run through all words, up and down', (t) => {
  for (const [zero, one, transferred] of [
    [0n, 1n, 0n],
    [0n, MOST, 0n],
    [MOST, 0n, MOST],
    [MOST, 0n, 1n],
    [2n ** 224n, 1n, 0n],
    [2n ** 224n - 1n, 0n, 1n],
    [ORDER, 0n, 0n],
    [ORDER - 1n, 0n, 1n],
    [0n, ORDER, 0n],
  ] as const)
    t.deepEqual(decodeScalars(correctionsOf(encodeScalars([zero]), encodeScalars([one]), encodeScalars([transferred]))), [
      modulo(zero - one + transferred),
    ])
})
