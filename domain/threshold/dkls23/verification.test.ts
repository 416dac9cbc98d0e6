import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { verify } from './verification.ts'

const { Fn, Fp } = secp256k1.Point
const payload = Buffer.from('pay 5 to carol')
const digest = createHash('sha256').update(payload).digest()
const { privateKey, publicKey: publicKeyObject } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const { x, y } = publicKeyObject.export({ format: 'jwk' })
const uncompressed = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')])
const publicKey = secp256k1.Point.fromBytes(uncompressed).toBytes()

const scalars = (signature: Uint8Array) =>
  [signature.subarray(0, 32), signature.subarray(32)].map((bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
const encoded = (scalar: bigint) => hexToBytes(scalar.toString(16).padStart(64, '0'))
const signatureOf = (r: bigint, s: bigint) => concatBytes(encoded(r), encoded(s))

/** OpenSSL's signature, with s in the lower half. */
const [r, s] = (() => {
  const [r, s] = scalars(sign('sha256', payload, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
  return [r!, s! > Fn.ORDER / 2n ? Fn.ORDER - s! : s!]
})()

test("OpenSSL's signatures verify when s is in the lower half, and not when it is in the upper", (t) => {
  t.true(verify(publicKey, digest, signatureOf(r, s)))
  t.false(verify(publicKey, digest, signatureOf(r, Fn.ORDER - s)))
})

test('r and s are from 1 to below the order, each in its one encoding', (t) => {
  const most = 2n ** 256n - 1n
  for (const wrong of [0n, Fn.ORDER, Fn.ORDER + 1n, Fp.ORDER, Fp.ORDER + 1n, most]) {
    t.false(verify(publicKey, digest, signatureOf(wrong, s)))
    t.false(verify(publicKey, digest, signatureOf(r, wrong)))
  }
  for (const [a, b] of [
    [0n, 0n],
    [0n, 1n],
    [1n, 0n],
    [1n, 1n],
    [Fn.ORDER - 1n, 1n],
    [s, r],
  ] as const)
    t.false(verify(publicKey, digest, signatureOf(a, b)))
})

test('u1 or u2 of zero, and a public key that is the sum of what is added, are handled', (t) => {
  // With a digest of zero u1 is zero; the signature verifies all the same when it is right.
  const zero = new Uint8Array(32)
  const secret = 7n
  const key = secp256k1.Point.BASE.multiply(secret).toBytes()
  const k = 11n
  const R = Fn.create(secp256k1.Point.BASE.multiply(k).x)
  const low = (value: bigint) => (value > Fn.ORDER / 2n ? Fn.ORDER - value : value)
  t.true(verify(key, zero, signatureOf(R, low(Fn.div(Fn.mul(R, secret), k)))))
  t.true(verify(key, encoded(Fn.ORDER), signatureOf(R, low(Fn.div(Fn.mul(R, secret), k)))), 'a digest is taken modulo the order')
  // m = -r·sk makes s zero: there is no such signature.
  t.false(verify(key, encoded(Fn.neg(Fn.mul(R, secret))), signatureOf(R, 0n)))
  // m = r·sk: both summands are equal, and have to be doubled.
  const m = Fn.mul(R, secret)
  t.true(verify(key, encoded(m), signatureOf(R, low(Fn.div(Fn.add(m, m), k)))))
})

test('a digest has 32 bytes, a signature 64, a public key 33', (t) => {
  const signature = signatureOf(r, s)
  for (const wrong of [new Uint8Array(), digest.subarray(1), Uint8Array.of(...digest, 0), Uint8Array.of(0, ...digest), payload])
    t.false(verify(publicKey, wrong, signature))
  for (const wrong of [new Uint8Array(), signature.subarray(1), Uint8Array.of(...signature, 0), Uint8Array.of(0, ...signature)])
    t.false(verify(publicKey, digest, wrong))
  t.false(verify(publicKey, digest, sign('sha256', payload, privateKey)), 'DER')
  for (const wrong of [
    uncompressed,
    publicKey.subarray(1),
    Uint8Array.of(...publicKey, 0),
    new Uint8Array(33),
    new Uint8Array(),
    new Uint8Array(1),
  ])
    t.false(verify(wrong, digest, signature))
})

test('a public key is a point of the curve', (t) => {
  const signature = signatureOf(r, s)
  const prefixed = (prefix: number, x: bigint) => concatBytes(Uint8Array.of(prefix), encoded(x))
  // x = 5 is on no point; x = p + 1 would be the point with x = 1.
  for (const wrong of [prefixed(2, 5n), prefixed(2, Fp.ORDER + 1n), prefixed(5, BigInt(`0x${publicKeyHex()}`)), prefixed(0, 0n)])
    t.false(verify(wrong, digest, signature))
  const other = publicKey.slice()
  other[0]! ^= 1
  t.false(verify(other, digest, signature), 'the negative of the public key')
})

test('every single bit of signature, digest and public key counts', (t) => {
  const signature = signatureOf(r, s)
  const flip = (bytes: Uint8Array, bit: number) => bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
  for (let bit = 0; bit < 512; bit += 3) t.false(verify(publicKey, digest, flip(signature, bit)))
  for (let bit = 0; bit < 256; bit += 3) t.false(verify(publicKey, flip(digest, bit), signature))
  for (let bit = 0; bit < 264; bit += 3) t.false(verify(flip(publicKey, bit), digest, signature))
})

const publicKeyHex = () => Buffer.from(publicKey.subarray(1)).toString('hex')
