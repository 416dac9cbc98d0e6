import { randomBytes } from 'node:crypto'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { runs } from '../../../test/runs.ts'
import { subsets } from '../testing/quorums.ts'
import { contribute, generateKey, open, rng, sign } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { recoverPublicKey, verifiesWithOpenSsl, verifyEcdsa } from '../testing/verifiers.ts'
import { dkls23 } from './dkls23.ts'
import { presign } from './presigning.ts'

/** How many random messages are signed by each kind of key; `npm run test:long` signs 10,000. */
const SIGNATURES = Number(process.env.QUORATE_ECDSA_SIGNATURES ?? runs(16))

const keys = generateKey(dkls23, { threshold: 2, parties: 3 })
const { publicKey, publicPackage } = keys.get(1)!

for (const parties of [2, 3])
  test(`2 of ${parties} sign ${SIGNATURES} random messages`, (t) => {
    t.timeout(Math.max(120_000, SIGNATURES * 1_000))
    const keys = generateKey(dkls23, { threshold: 2, parties })
    const { publicKey } = keys.get(1)!
    const quorums = subsets([...keys.keys()], 2)
    for (let i = 0; i < SIGNATURES; i++) {
      const payload = randomBytes(i)
      const { signature } = sign(dkls23, keys, quorums[i % quorums.length]!, dkls23.message(payload))
      if (!verifiesWithOpenSsl(publicKey, payload, signature)) t.fail(`the signature of ${payload.toString('hex')} does not verify`)
    }
    t.pass()
  })

test('all holders of a key have the same public key and public package', (t) => {
  for (const key of keys.values()) {
    t.deepEqual(key.publicKey, publicKey)
    t.deepEqual(key.publicPackage, publicPackage)
    t.notThrows(() => dkls23.checkShare(key))
  }
  t.deepEqual(dkls23.inspect(publicPackage), { threshold: 2, parties: 3, publicKey })
})

test('every quorum of 2 of 3, and more than a quorum, signs for the same key, which can be recovered from each signature', (t) => {
  const payload = utf8ToBytes('pay 5 to carol')
  const digest = dkls23.message(payload)
  const recoveryIds = new Set<number>()
  for (const signers of [[1, 2], [1, 3], [3, 2], [2, 1, 3], ...Array.from({ length: 5 }, () => [2, 3])]) {
    const { signature, recoveryId } = sign(dkls23, keys, signers, digest)
    t.is(signature.length, 64)
    t.true(verifyEcdsa(publicKey, digest, signature))
    t.true(verifiesWithOpenSsl(publicKey, payload, signature))
    t.true(dkls23.verify(publicKey, digest, signature))
    t.deepEqual(recoverPublicKey(digest, signature, recoveryId!), Buffer.from(publicKey))
    recoveryIds.add(recoveryId!)
  }
  t.deepEqual([...recoveryIds].sort(), [0, 1])
})

test('at every path a quorum signs for the key there, and for no other', (t) => {
  const paths = [[], [0], [0, 5], [5, 0], [2 ** 31 - 1]]
  const publicKeys = paths.map((path) => dkls23.derive(publicPackage, path).publicKey)
  const digest = dkls23.message(utf8ToBytes('pay 5 to carol'))
  for (const [i, path] of paths.entries()) {
    const { signature, recoveryId } = sign(dkls23, keys, [3, 1], digest, path)
    for (const [j, key] of publicKeys.entries()) t.is(verifyEcdsa(key, digest, signature), i === j)
    t.deepEqual(recoverPublicKey(digest, signature, recoveryId!), Buffer.from(publicKeys[i]!))
  }
})

test('any digest of 32 bytes is signed, also those that are no scalar', (t) => {
  for (const digest of [
    new Uint8Array(32),
    new Uint8Array(32).fill(0xff),
    hexToBytes('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'),
    hexToBytes('0000000000000000000000000000000000000000000000000000000000000001'),
  ])
    t.true(verifyEcdsa(publicKey, digest, sign(dkls23, keys, [1, 2], digest).signature))
})

test('only a digest of exactly 32 bytes is signed', (t) => {
  for (const length of [0, 20, 31, 33, 64]) throwsAbort(t, () => contribute(dkls23, keys, [1, 2], rng(length)), 'invalid_parameters')
})

test('two signatures of one message have nothing in common', (t) => {
  const digest = dkls23.message(utf8ToBytes('pay 5 to carol'))
  const [first, second] = [1, 2].map(() => sign(dkls23, keys, [1, 2], digest).signature)
  t.notDeepEqual(first!.subarray(0, 32), second!.subarray(0, 32))
  t.notDeepEqual(first!.subarray(32), second!.subarray(32))
})

test('a presignature signs once, whatever becomes of it', (t) => {
  const digest = dkls23.message(utf8ToBytes('pay 5 to carol'))
  const task = { key: keys.get(1)!, path: [], signers: [1, 2], message: digest }
  const openBoth = () => {
    const opened = open(dkls23, keys, [1, 2])
    return { signer: opened.get(1)!, broadcasts: new Map([...opened].map(([party, { broadcast }]) => [party, broadcast])) }
  }
  const used = openBoth()
  used.signer.contribute(task, used.broadcasts)
  throwsAbort(t, () => used.signer.contribute(task, used.broadcasts), 'out_of_order')
  const refused = openBoth()
  throwsAbort(t, () => refused.signer.contribute({ ...task, signers: [1] }, refused.broadcasts), 'invalid_parameters')
  throwsAbort(t, () => refused.signer.contribute(task, refused.broadcasts), 'out_of_order')
  const destroyed = openBoth()
  destroyed.signer.destroy()
  throwsAbort(t, () => destroyed.signer.contribute(task, destroyed.broadcasts), 'out_of_order')
})

test('a presignature is for the key, the share and the signers that it was opened with', (t) => {
  const others = generateKey(dkls23, { threshold: 2, parties: 2 })
  const digest = dkls23.message(utf8ToBytes('pay 5 to carol'))
  const refuses = (change: object, code: 'invalid_key' | 'invalid_parameters', path: readonly number[] = []) => {
    const opened = open(dkls23, keys, [1, 2])
    const broadcasts = new Map([...opened].map(([party, { broadcast }]) => [party, broadcast]))
    const task = { key: keys.get(1)!, path, signers: [1, 2], message: digest, ...change }
    throwsAbort(t, () => opened.get(1)!.contribute(task, broadcasts), code)
  }
  refuses({ key: others.get(1)! }, 'invalid_key')
  refuses({ key: keys.get(2)! }, 'invalid_key')
  refuses({ key: { ...keys.get(1)!, publicPackage: others.get(1)!.publicPackage } }, 'invalid_key')
  for (const signers of [[1], [1, 3], [1, 2, 3], [2, 3], [1, 1], [0, 1], [1, 4]]) refuses({ signers }, 'invalid_parameters')
  for (const path of [[-1], [2 ** 31], [0.5], new Array(11).fill(0)]) refuses({ path }, 'invalid_parameters')
})

test('who cannot sign together does not begin', (t) => {
  const openWith = (change: object) => presign({ key: keys.get(1)!, signers: [1, 2], context: utf8ToBytes('opening 1'), rng, ...change })
  for (const signers of [[1], [1, 1], [0, 1], [1, 4], [1, 1.5], [2, 3]]) throwsAbort(t, () => openWith({ signers }), 'invalid_parameters')
  throwsAbort(t, () => openWith({ context: new Uint8Array() }), 'invalid_parameters')
  throwsAbort(t, () => openWith({ rng: () => new Uint8Array(8) }), 'invalid_parameters')
  throwsAbort(t, () => openWith({ key: { ...keys.get(1)!, publicPackage: publicPackage.subarray(1) } }), 'invalid_key')
})

test('a threshold, participant or context that cannot be is refused', (t) => {
  const options = { self: 1, threshold: 2, parties: 3, context: utf8ToBytes('key 1'), rng }
  for (const wrong of [
    { threshold: 1 },
    { threshold: 4 },
    { threshold: 2.5 },
    { parties: 8 },
    { self: 0 },
    { self: 4 },
    { self: 1.5 },
    { context: new Uint8Array() },
    { rng: () => new Uint8Array(8) },
  ])
    throwsAbort(t, () => dkls23.keyGeneration({ ...options, ...wrong }), 'invalid_parameters')
})

test('what is no opening is told from what is one', (t) => {
  const [opening] = [...contribute(dkls23, keys, [1, 2], dkls23.message(publicKey)).openings.values()]
  t.is(opening!.length, 65)
  t.true(dkls23.isOpening(opening!))
  const uncompressed = opening!.slice()
  uncompressed[0] = 4
  for (const malformed of [new Uint8Array(), opening!.subarray(1), Uint8Array.of(...opening!, 0), new Uint8Array(65), uncompressed])
    t.false(dkls23.isOpening(malformed))
})

test('what nonces, coefficients and choices are made of is wiped', (t) => {
  const drawn: Uint8Array[] = []
  const remembering = (length: number) => {
    const bytes = rng(length)
    drawn.push(bytes)
    return bytes
  }
  const isWiped = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)
  dkls23.keyGeneration({ self: 1, threshold: 2, parties: 2, context: utf8ToBytes('key 1'), rng: remembering }).destroy()
  // Salts, which are revealed, have 32 bytes.
  const secret = drawn.splice(0).filter(({ length }) => length !== 32)
  t.true(secret.length > 128)
  for (const bytes of secret) t.true(isWiped(bytes))

  presign({ key: keys.get(1)!, signers: [1, 2], context: utf8ToBytes('opening 1'), rng: remembering }).destroy()
  const [r, phi] = drawn
  t.true(isWiped(r!))
  t.true(isWiped(phi!))
})
