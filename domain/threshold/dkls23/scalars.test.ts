import test from 'ava'
import fc from 'fast-check'
import { throwsAbort } from '../testing/throws-abort.ts'
import { ORDER } from './parameters.ts'
import { decodeScalars, encodeScalars, modulo, reduceScalars } from './scalars.ts'

const scalar = fc.bigInt({ min: 0n, max: ORDER - 1n })

test('scalars that are written are read again', (t) => {
  fc.assert(fc.property(fc.array(scalar), (scalars) => void t.deepEqual(decodeScalars(encodeScalars(scalars)), scalars)))
})

test('the encoding is big-endian, 32 bytes each', (t) => {
  const bytes = encodeScalars([1n, ORDER - 1n])
  t.is(Buffer.from(bytes.subarray(0, 32)).toString('hex'), '01'.padStart(64, '0'))
  t.is(Buffer.from(bytes.subarray(32)).toString('hex'), (ORDER - 1n).toString(16))
})

test('the order and what is above it is no encoding of a scalar', (t) => {
  for (const value of [ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
    const bytes = encodeScalars([0n, value])
    throwsAbort(t, () => decodeScalars(bytes), 'invalid_message')
    t.deepEqual(reduceScalars(bytes), [0n, value - ORDER])
  }
})

test('remainders are not negative', (t) => {
  fc.assert(
    fc.property(scalar, fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }), (a, k) => {
      t.is(modulo(a + k * ORDER), a)
    }),
  )
})
