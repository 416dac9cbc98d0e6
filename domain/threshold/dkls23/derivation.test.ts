import { createHmac } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { encodePublicPackage } from '../shared-key/key-material.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import vectors from '../vectors/derivation-secp256k1-tr.json' with { type: 'json' }
import { dkls23 } from './dkls23.ts'

const { Point } = secp256k1

const packageOf = (publicKey: Uint8Array, chainCode: Uint8Array) => {
  const element = Point.fromBytes(publicKey)
  return encodePublicPackage({ threshold: 2, parties: 2, chainCode, publicKey: element }, [element, element])
}

/** BIP-32, test vector 2: m and m/0. */
const VECTOR = {
  publicKey: hexToBytes('03cbcaa9c98c877a26977d00825c956a238e8dddfbd322cce4f74b0b5bd6ace4a7'),
  chainCode: hexToBytes('60499f801b896d83179a4374aeb7822aaeaceaa0db1f85ee3e904c4defbd9689'),
  child: '02fc9e5af0ac8d9b3cecfe2a888e2117ba3d089d8585886c9c826b6b22a98d12ea',
}

test('the public child of test vector 2 of BIP-32', (t) => {
  const publicPackage = packageOf(VECTOR.publicKey, VECTOR.chainCode)
  t.is(bytesToHex(dkls23.derive(publicPackage, [0]).publicKey), VECTOR.child)
  t.deepEqual(dkls23.derive(publicPackage, []), dkls23.inspect(publicPackage))
})

for (const { comment, publicKey, chainCode, children } of vectors.keys)
  test(`${comment}: ${publicKey.slice(0, 8)}`, (t) => {
    const publicPackage = packageOf(hexToBytes(publicKey), hexToBytes(chainCode))
    for (const child of children) t.is(bytesToHex(dkls23.derive(publicPackage, child.path).publicKey), child.internalKey)
  })

test('at every path there is the key of BIP-32', (t) => {
  const publicPackage = packageOf(VECTOR.publicKey, VECTOR.chainCode)
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31 - 1), { minLength: 1, maxLength: 10 }), (path) => {
      let [point, chainCode] = [Point.fromBytes(VECTOR.publicKey), Buffer.from(VECTOR.chainCode)]
      for (const index of path) {
        const data = Buffer.concat([point.toBytes(), Buffer.alloc(4)])
        data.writeUInt32BE(index, 33)
        const I = createHmac('sha512', chainCode).update(data).digest()
        point = point.add(Point.BASE.multiply(BigInt(`0x${I.toString('hex', 0, 32)}`)))
        chainCode = I.subarray(32)
      }
      t.is(bytesToHex(dkls23.derive(publicPackage, path).publicKey), bytesToHex(point.toBytes()))
    }),
    { numRuns: 20 },
  )
})

test('a path that cannot be has no key', (t) => {
  const publicPackage = packageOf(VECTOR.publicKey, VECTOR.chainCode)
  for (const path of [[-1], [2 ** 31], [0.5], [Number.NaN], new Array(11).fill(0)])
    throwsAbort(t, () => dkls23.derive(publicPackage, path), 'invalid_parameters')
  for (const malformed of [new Uint8Array(), publicPackage.subarray(1), Uint8Array.of(...publicPackage, 0)])
    throwsAbort(t, () => dkls23.inspect(malformed), 'invalid_key')
})
