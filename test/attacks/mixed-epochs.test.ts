/** Shares of before and after a refresh are put together: by mistake, from a backup, or by a thief who was there twice. */
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { KeyMaterial, PartyIndex } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { decodePublicPackage, decodeShare } from '../../domain/threshold/shared-key/key-material.ts'
import { interpolatingValue } from '../../domain/threshold/shared-key/polynomial.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { contribute, generateKey, openAlone, recover, refresh, rng } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const suite = ciphersuiteOf(scheme)
  const { Fn, BASE } = suite.Point
  const before = generateKey(protocol, { threshold: 3, parties: 4 })
  const after = refresh(protocol, before)
  const packages = { old: before.get(1)!.publicPackage, new: after.get(1)!.publicPackage }
  const mixed = new Map<PartyIndex, KeyMaterial>([...after]).set(2, before.get(2)!)
  const message = protocol.message(utf8ToBytes('pay 5 to carol'))
  const scalarOf = (key: KeyMaterial) => Fn.fromBytes(decodeShare(suite, key).scalar)

  test(`${scheme}: signers of two epochs make no signature, and those are named whose epoch is not the one asked for`, (t) => {
    for (const path of [[], [0, 5]]) {
      const signers = [1, 2, 3]
      const { openings, contributions } = contribute(protocol, mixed, signers, message, undefined, path)
      const transcript = { path, signers, message, broadcasts: openings, contributions }
      throwsAbort(t, () => protocol.aggregate({ ...transcript, publicPackage: packages.new }), 'invalid_contribution', [2])
      throwsAbort(t, () => protocol.aggregate({ ...transcript, publicPackage: packages.old }), 'invalid_contribution', [1, 3])
    }
  })

  test(`${scheme}: stolen shares of two epochs do not give the key, as those of one do`, (t) => {
    const { publicKey } = decodePublicPackage(suite, packages.old)
    const interpolated = (keys: ReadonlyMap<PartyIndex, KeyMaterial>) =>
      [1, 2, 3].reduce((sum, party) => Fn.add(sum, Fn.mul(scalarOf(keys.get(party)!), interpolatingValue(Fn, [1, 2, 3], party))), 0n)
    t.true(BASE.multiply(interpolated(before)).equals(publicKey))
    t.true(BASE.multiply(interpolated(after)).equals(publicKey))
    t.false(BASE.multiply(interpolated(mixed)).equals(publicKey))
  })

  test(`${scheme}: a share works with the public package of its own epoch only`, (t) => {
    const [old, current] = [before.get(1)!, after.get(1)!]
    for (const key of [
      { share: old.share, publicPackage: packages.new },
      { share: current.share, publicPackage: packages.old },
    ]) {
      throwsAbort(t, () => openAlone(protocol, key), 'invalid_key')
      throwsAbort(t, () => protocol.refresh({ key, context: message, rng }), 'invalid_key')
    }
  })

  test(`${scheme}: what was opened in one epoch does not sign in the next`, (t) => {
    const opened = openAlone(protocol, before.get(1)!)
    const task = { key: after.get(1)!, path: [], signers: [1, 2, 3], message }
    throwsAbort(t, () => opened.contribute(task, new Map([[1, opened.broadcast]])), 'invalid_key')
  })

  test(`${scheme}: a refresh starts from one epoch, and names who starts from another`, (t) => {
    throwsAbort(t, () => refresh(protocol, mixed), 'invalid_proof', [2])
  })

  test(`${scheme}: a recovery starts from one epoch, and names the helper that starts from another`, (t) => {
    for (const helpers of [
      [1, 2, 3],
      [3, 2, 1],
    ])
      throwsAbort(t, () => recover(protocol, mixed, { lost: 4, helpers, publicPackage: packages.new }), 'package_mismatch', [2])
  })
}
