import { randomBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { throwsAbort } from '../../testing/throws-abort.ts'
import { decodePoint, encodePoints, exchange, hashToPoint, POINT_BYTES, randomPoint, randomScalar } from './curve.ts'

test('both sides of an exchange get the same, and it is the abscissa of the product', (t) => {
  const [ours, theirs] = [randomScalar(randomBytes), randomScalar(randomBytes)]
  const secret = exchange(ours).with(exchange(theirs).own)
  t.deepEqual(secret, exchange(theirs).with(exchange(ours).own))
  const scalar = BigInt(`0x${Buffer.from(ours).toString('hex')}`)
  t.deepEqual(Buffer.from(secret), Buffer.from(decodePoint(exchange(theirs).own).multiply(scalar).toBytes(false).subarray(1, 33)))
})

test('points of the hash and of the random source are on the curve, and written as they are read', (t) => {
  for (let i = 0; i < 10; i++) {
    const [random] = encodePoints([hashToPoint(randomBytes(32), 1, 0, randomPoint(randomBytes))])
    t.is(random!.length, POINT_BYTES)
    t.notThrows(() => decodePoint(random!))
  }
})

test('the hash onto the curve depends on session, transfer, choice and point', (t) => {
  const [sid, point] = [randomBytes(32), randomPoint(randomBytes)]
  const points = [
    hashToPoint(sid, 1, 0, point),
    hashToPoint(randomBytes(32), 1, 0, point),
    hashToPoint(sid, 2, 0, point),
    hashToPoint(sid, 1, 1, point),
    hashToPoint(sid, 1, 0, randomPoint(randomBytes)),
  ]
  t.is(new Set(encodePoints(points).map(String)).size, points.length)
  t.true(hashToPoint(sid, 1, 0, point).equals(points[0]!))
})

test('both points of an abscissa occur among the hashes', (t) => {
  const sid = randomBytes(32)
  const point = randomPoint(randomBytes)
  const odd = encodePoints(Array.from({ length: 40 }, (_, transfer) => hashToPoint(sid, transfer, 0, point))).filter(
    (bytes) => bytes[64]! & 1,
  )
  t.true(odd.length > 0 && odd.length < 40)
})

test('the identity is not written', (t) => {
  const point = decodePoint(randomPoint(randomBytes))
  throwsAbort(t, () => encodePoints([point, point.subtract(point)]), 'invalid_message')
})
