import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { KeyMaterial, PartyIndex } from '../protocol.ts'
import { generateKey, open, recover, refresh, sign } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { verifyEcdsa } from '../testing/verifiers.ts'
import { dkls23 } from './dkls23.ts'
import { checkShare, decodeShare, withoutCounterparty } from './key-material.ts'
import { SETUP_BYTES } from './pairwise-setup.ts'

const DIGEST = dkls23.message(utf8ToBytes('pay 5 to carol'))
const keys = generateKey(dkls23, { threshold: 2, parties: 3 })
const { publicPackage, publicKey } = keys.get(1)!
const signs = (keys: ReadonlyMap<PartyIndex, KeyMaterial>, signers: PartyIndex[]) =>
  verifyEcdsa(publicKey, DIGEST, sign(dkls23, keys, signers, DIGEST).signature)

test('a share holds a set-up with each other holder, the same seed of zeros on both sides, and no two alike', (t) => {
  const seeds = new Set<string>()
  for (const [self, key] of keys) {
    t.is(key.share.length, 66 + 2 * (1 + SETUP_BYTES))
    const { setups } = decodeShare(key)
    t.deepEqual(
      [...setups.keys()],
      [1, 2, 3].filter((party) => party !== self),
    )
    for (const [other, setup] of setups) {
      t.deepEqual(setup.slice(-32), decodeShare(keys.get(other)!).setups.get(self)!.slice(-32))
      seeds.add(Buffer.from(setup.slice(-32)).toString('hex'))
    }
  }
  t.is(seeds.size, 3)
})

test('a malformed share is refused', (t) => {
  const { share } = keys.get(1)!
  const changed = (at: number, byte: number) => share.map((old, i) => (i === at ? byte : old))
  const secondEntry = 66 + 1 + SETUP_BYTES
  const malformed = [
    new Uint8Array(),
    share.subarray(1),
    share.subarray(0, -1),
    Uint8Array.of(...share, 0),
    changed(0, 1),
    changed(66, 0),
    changed(66, 1),
    changed(66, 3),
    changed(66, 4),
    changed(secondEntry, 2),
    changed(secondEntry, 4),
    changed(40, share[40]! ^ 1),
  ]
  for (const wrong of malformed) throwsAbort(t, () => checkShare({ share: wrong, publicPackage }), 'invalid_key')
  throwsAbort(t, () => checkShare({ share: changed(20, share[20]! ^ 1), publicPackage }), 'invalid_key')
  t.notThrows(() => checkShare({ share, publicPackage }))
})

test('a share whose set-up with one counterparty is destroyed signs with the others, for good', (t) => {
  const banned = { ...keys.get(1)!, share: withoutCounterparty(keys.get(1)!, 2) }
  t.is(banned.share.length, keys.get(1)!.share.length - 1 - SETUP_BYTES)
  t.notThrows(() => checkShare(banned))
  const left = new Map(keys).set(1, banned)
  throwsAbort(t, () => open(dkls23, left, [1, 2]), 'setup_missing', [2])
  throwsAbort(t, () => open(dkls23, left, [1, 2, 3]), 'setup_missing', [2])
  t.true(signs(left, [1, 3]))
  t.true(signs(left, [2, 3]))
  t.deepEqual(withoutCounterparty(banned, 2), banned.share, 'a second time changes nothing')
  const alone = { ...banned, share: withoutCounterparty(banned, 3) }
  throwsAbort(t, () => open(dkls23, new Map(keys).set(1, alone), [1, 2, 3]), 'setup_missing', [2, 3])
})

test('only what can be a counterparty is forgotten', (t) => {
  for (const counterparty of [0, 1, 4, 1.5, Number.NaN])
    throwsAbort(t, () => withoutCounterparty(keys.get(1)!, counterparty), 'invalid_parameters')
  throwsAbort(t, () => withoutCounterparty({ ...keys.get(1)!, publicPackage: publicPackage.subarray(1) }, 2), 'invalid_key')
})

test('a recovered share signs after the next refresh, and not before', (t) => {
  const recovered = recover(dkls23, keys, { lost: 3, helpers: [1, 2], publicPackage })
  t.deepEqual(recovered.publicPackage, publicPackage)
  t.deepEqual(recovered.share, keys.get(3)!.share.slice(0, 66))
  t.notThrows(() => checkShare(recovered))
  const restored = new Map(keys).set(3, recovered)
  throwsAbort(t, () => open(dkls23, restored, [3, 1]), 'setup_missing', [1])
  t.true(signs(restored, [1, 2]), 'the others are not concerned')
  const refreshed = refresh(dkls23, restored)
  for (const signers of [
    [3, 1],
    [2, 3],
    [1, 2],
  ])
    t.true(signs(refreshed, signers))
})

test('a refresh makes a destroyed set-up anew, and leaves key and chain code as they were', (t) => {
  const banned = new Map(keys).set(1, { ...keys.get(1)!, share: withoutCounterparty(keys.get(1)!, 2) })
  const refreshed = refresh(dkls23, banned)
  t.true(signs(refreshed, [1, 2]))
  for (const [party, key] of refreshed) {
    t.deepEqual(key.publicKey, publicKey)
    t.deepEqual(key.publicPackage.slice(0, 68), publicPackage.slice(0, 68))
    const [before, after] = [keys.get(party)!, key].map((material) => decodeShare(material))
    t.notDeepEqual(after!.scalar, before!.scalar)
    for (const [other, setup] of after!.setups)
      for (const [from, to] of [
        [0, 2064],
        [2064, 6160],
        [6160, 6192],
      ])
        t.notDeepEqual(setup.slice(from, to), before!.setups.get(other)!.slice(from, to))
  }
})

test('shares of before and after a refresh do not sign together', (t) => {
  const refreshed = refresh(dkls23, keys)
  const mixed = new Map(keys).set(2, refreshed.get(2)!)
  t.throws(() => sign(dkls23, mixed, [1, 2], DIGEST))
})
