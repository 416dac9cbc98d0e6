import { createHash, createHmac } from 'node:crypto'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { protocolOf } from '../registry.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage, decodeShare, encodePublicPackage } from '../shared-key/key-material.ts'
import { interpolatingValue } from '../shared-key/polynomial.ts'
import { ciphersuiteOf, FROST_SCHEMES, type FrostScheme } from '../testing/ciphersuites.ts'
import { contribute, generateKey, openAlone, sign } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { VERIFIERS } from '../testing/verifiers.ts'
import ed25519Vectors from '../vectors/derivation-ed25519.json' with { type: 'json' }
import secp256k1Vectors from '../vectors/derivation-secp256k1-tr.json' with { type: 'json' }
import type { Ciphersuite } from './ciphersuite.ts'
import { ed25519Ciphersuite } from './ed25519.ts'
import { frost } from './frost.ts'

/** The public package of a key that one participant holds alone. */
const packageOf = (scheme: FrostScheme, publicKey: string, chainCode: string) => {
  const element = ciphersuiteOf(scheme).Point.fromBytes(hexToBytes(publicKey))
  return encodePublicPackage({ threshold: 1, parties: 1, chainCode: hexToBytes(chainCode), publicKey: element }, [element])
}

for (const [i, { publicKey, chainCode, children }] of ed25519Vectors.keys.entries())
  test(`frost-ed25519: key ${i + 1} of ${ed25519Vectors.source}`, (t) => {
    const protocol = protocolOf('frost-ed25519')
    const publicPackage = packageOf('frost-ed25519', publicKey, chainCode)
    for (const child of children) {
      t.is(bytesToHex(protocol.derive(publicPackage, child.path).publicKey), child.publicKey)
      const derived = derive(ed25519Ciphersuite, decodePublicPackage(ed25519Ciphersuite, publicPackage), child.path)
      t.is(bytesToHex(derived.publicPackage.chainCode), child.chainCode)
    }
  })

for (const { comment, publicKey, chainCode, children } of secp256k1Vectors.keys)
  test(`frost-secp256k1-tr: ${comment}: ${publicKey.slice(0, 8)}`, (t) => {
    const protocol = protocolOf('frost-secp256k1-tr')
    const publicPackage = packageOf('frost-secp256k1-tr', publicKey, chainCode)
    for (const child of children) t.is(bytesToHex(protocol.derive(publicPackage, child.path).publicKey), child.outputKey)
  })

test('frost-secp256k1-tr: a generated key and its chain code are an extended public key whose BIP-86 output keys are those signed with', (t) => {
  const protocol = protocolOf('frost-secp256k1-tr')
  const { Point } = secp256k1
  const { publicPackage, publicKey } = generateKey(protocol, { threshold: 2, parties: 2 }).get(1)!
  const chainCode = publicPackage.subarray(3, 35)
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31 - 1), { minLength: 1, maxLength: 10 }), (path) => {
      let extended = { point: Point.fromBytes(concatBytes(Uint8Array.of(2), publicKey)), chainCode: Buffer.from(chainCode) }
      for (const index of path) {
        const data = Buffer.concat([extended.point.toBytes(), Buffer.alloc(4)])
        data.writeUInt32BE(index, 33)
        const I = createHmac('sha512', extended.chainCode).update(data).digest()
        extended = {
          point: extended.point.add(Point.BASE.multiply(BigInt(`0x${I.subarray(0, 32).toString('hex')}`))),
          chainCode: I.subarray(32),
        }
      }
      const xOnly = extended.point.toBytes().subarray(1)
      const tag = createHash('sha256').update('TapTweak').digest()
      const tweak = createHash('sha256').update(tag).update(tag).update(xOnly).digest('hex')
      const output = schnorr.utils.lift_x(Point.Fp.fromBytes(xOnly)).add(Point.BASE.multiply(BigInt(`0x${tweak}`)))
      t.deepEqual(protocol.derive(publicPackage, path).publicKey, output.toBytes().subarray(1))
    }),
    { numRuns: 20 },
  )
})

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const suite = ciphersuiteOf(scheme)
  const { Fn, BASE } = suite.Point
  const keys = generateKey(protocol, { threshold: 2, parties: 3 })
  const { publicPackage, publicKey } = keys.get(1)!
  const message = protocol.message(utf8ToBytes('pay 5 to carol'))

  test(`${scheme}: at every path a quorum signs for the key there, and for no other`, (t) => {
    const paths = [[], [0], [0, 0], [0, 5], [5, 0], [2 ** 31 - 1]]
    const publicKeys = paths.map((path) => protocol.derive(publicPackage, path).publicKey)
    t.deepEqual(publicKeys[0], publicKey)
    t.is(new Set(publicKeys.map(bytesToHex)).size, paths.length)
    for (const [i, path] of paths.entries()) {
      const { signature } = sign(protocol, keys, [3, 1], message, path)
      for (const [j, key] of publicKeys.entries()) t.is(VERIFIERS[scheme](key, message, signature), i === j)
    }
  })

  test(`${scheme}: derived shares and verifying shares are those of the derived key`, (t) => {
    const root = decodePublicPackage(suite, publicPackage)
    // Every combination of parities that secp256k1 has occurs in a few dozen keys.
    for (let index = 0; index < 32; index++) {
      const derived = derive(suite, root, [index, 1])
      const shares = [1, 3].map((party) => derived.share(Fn.fromBytes(decodeShare(suite, keys.get(party)!).scalar)))
      for (const [i, party] of [1, 3].entries()) t.true(BASE.multiply(shares[i]!).equals(derived.publicPackage.verifyingShare(party)))
      const secret = [1, 3].reduce((sum, party, i) => Fn.add(sum, Fn.mul(shares[i]!, interpolatingValue(Fn, [1, 3], party))), 0n)
      t.true(BASE.multiply(secret).equals(derived.publicPackage.publicKey))
      t.true(suite.isPublicForm(derived.publicPackage.publicKey))
    }
  })

  test(`${scheme}: a wrong share is found at every path, and its signer named`, (t) => {
    const signers = [1, 2]
    const { openings, contributions } = contribute(protocol, keys, signers, message, undefined, [0, 5])
    const wrong = contributions.get(2)!.slice()
    wrong[wrong.length - 16]! ^= 1
    const transcript = { publicPackage, path: [0, 5], signers, message, broadcasts: openings, contributions }
    throwsAbort(
      t,
      () => protocol.aggregate({ ...transcript, contributions: new Map(contributions).set(2, wrong) }),
      'invalid_contribution',
      [2],
    )
  })

  test(`${scheme}: shares for one path are no shares for another`, (t) => {
    const signers = [1, 2]
    const { openings, contributions } = contribute(protocol, keys, signers, message, undefined, [0, 5])
    const transcript = { publicPackage, signers, message, broadcasts: openings, contributions }
    for (const path of [[], [0], [0, 6], [0, 5, 0]])
      throwsAbort(t, () => protocol.aggregate({ ...transcript, path }), 'invalid_contribution', [1, 2])
    t.notThrows(() => protocol.aggregate({ ...transcript, path: [0, 5] }))
  })

  test(`${scheme}: a path that cannot be is refused everywhere`, (t) => {
    const { openings, contributions } = contribute(protocol, keys, [1, 2], message)
    for (const path of [[-1], [2 ** 31], [0.5], [Number.NaN], new Array(11).fill(0)]) {
      throwsAbort(t, () => protocol.derive(publicPackage, path), 'invalid_parameters')
      throwsAbort(
        t,
        () => openAlone(protocol, keys.get(1)!).contribute({ key: keys.get(1)!, path, signers: [1, 2], message }, openings),
        'invalid_parameters',
      )
      const transcript = { publicPackage, path, signers: [1, 2], message, broadcasts: openings, contributions }
      throwsAbort(t, () => protocol.aggregate(transcript), 'invalid_parameters')
    }
  })

  test(`${scheme}: a child that would be the identity, or that does not exist, is refused`, (t) => {
    const secret = 5n
    const key = BASE.multiply(secret)
    const alone = encodePublicPackage({ threshold: 1, parties: 1, chainCode: new Uint8Array(32), publicKey: key }, [key])
    const tweakedBy = (childTweak: typeof suite.childTweak) => frost<typeof BASE>({ ...suite, childTweak } as Ciphersuite<typeof BASE>)
    const chainCode = new Uint8Array(32)
    throwsAbort(t, () => tweakedBy(() => ({ tweak: Fn.neg(secret), chainCode })).derive(alone, [0]), 'invalid_parameters')
    const none = () => {
      throw new Error('not below the order')
    }
    throwsAbort(t, () => tweakedBy(none).derive(alone, [0]), 'invalid_parameters')
    t.notThrows(() => tweakedBy(() => ({ tweak: Fn.ONE, chainCode })).derive(alone, [0]))
  })

  test(`${scheme}: the chain code is another one for every key, and the same for all holders`, (t) => {
    const chainCodes = [1, 2, 3].map(() =>
      bytesToHex(generateKey(protocol, { threshold: 1, parties: 1 }).get(1)!.publicPackage.subarray(3, 35)),
    )
    t.is(new Set(chainCodes).size, 3)
    t.is(new Set([...keys.values()].map((key) => bytesToHex(key.publicPackage))).size, 1)
  })
}
