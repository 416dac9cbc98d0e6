/** A helper gives the one that has lost its share something else, or whoever carries the messages gives it another public package. */
import { concatBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { PartyIndex } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { decodePublicPackage, encodePublicPackage } from '../../domain/threshold/shared-key/key-material.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import {
  CEREMONY,
  generateKey,
  insteadOfBroadcast,
  insteadOfSecret,
  recover,
  refresh,
  rng,
  type Tamper,
} from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const DIGEST_BYTES = 32

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const suite = ciphersuiteOf(scheme)
  const { elementBytes, Point } = suite
  const { Fn, BASE } = Point
  const keys = generateKey(protocol, { threshold: 3, parties: 5 })
  const { publicPackage } = keys.get(1)!
  const recovery = { lost: 4, helpers: [1, 2, 5], publicPackage }
  const plusOne = (scalar: Uint8Array) => Fn.toBytes(Fn.add(Fn.fromBytes(scalar), 1n))
  /** Adds to the helper's commitments to its pieces, in order. */
  const shifted =
    (...summands: (typeof BASE)[]) =>
    (bytes: Uint8Array) => {
      const elements = summands.map((summand, k) => {
        const at = DIGEST_BYTES + k * elementBytes
        return Point.fromBytes(bytes.subarray(at, at + elementBytes))
          .add(summand)
          .toBytes()
      })
      return concatBytes(bytes.subarray(0, DIGEST_BYTES), ...elements)
    }

  test(`${scheme}: commitments that do not add up to the helper's verifying share convict it`, (t) => {
    const tamper = insteadOfBroadcast(2, 1, shifted(BASE, Point.ZERO, Point.ZERO))
    throwsAbort(t, () => recover(protocol, keys, recovery, tamper), 'invalid_contribution', [2])
  })

  test(`${scheme}: pieces that do not open their commitments convict their sender`, (t) => {
    throwsAbort(t, () => recover(protocol, keys, recovery, insteadOfSecret(2, 2, plusOne)), 'invalid_secret_share', [2])
  })

  test(`${scheme}: a sum that does not open the commitments convicts its sender`, (t) => {
    for (const change of [plusOne, () => new Uint8Array(32), (bytes: Uint8Array) => bytes.subarray(1)])
      throwsAbort(t, () => recover(protocol, keys, recovery, insteadOfSecret(5, 3, change)), 'invalid_secret_share', [5])
  })

  test(`${scheme}: two helpers whose lies cancel out are both convicted`, (t) => {
    const minusOne = (scalar: Uint8Array) => Fn.toBytes(Fn.sub(Fn.fromBytes(scalar), 1n))
    const first = insteadOfSecret(1, 3, plusOne)
    const second = insteadOfSecret(5, 3, minusOne)
    throwsAbort(
      t,
      () => recover(protocol, keys, recovery, (incoming, at) => second(first(incoming, at), at)),
      'invalid_secret_share',
      [1, 5],
    )
  })

  test(`${scheme}: commitments that are too few, too many or missing convict the helper; the one without a share has none to make`, (t) => {
    const changes: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.subarray(0, bytes.length - elementBytes),
      (bytes) => concatBytes(bytes, BASE.toBytes()),
      (bytes) => bytes.subarray(0, DIGEST_BYTES),
    ]
    for (const change of changes)
      throwsAbort(t, () => recover(protocol, keys, recovery, insteadOfBroadcast(2, 1, change)), 'invalid_message', [2])
    const talkative = insteadOfBroadcast(4, 1, (bytes) => concatBytes(bytes, BASE.toBytes()))
    throwsAbort(t, () => recover(protocol, keys, recovery, talkative), 'invalid_message', [4])
  })

  test(`${scheme}: a helper with another public package is named by the others`, (t) => {
    const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
    throwsAbort(t, () => recover(protocol, keys, recovery, insteadOfBroadcast(2, 1, flipped, 1)), 'package_mismatch', [2])
  })

  test(`${scheme}: the one that has lost its share takes no public package that the helpers do not have`, (t) => {
    const genuine = decodePublicPackage(suite, publicPackage)
    const shares = [1, 2, 3, 4, 5].map((party) => genuine.verifyingShare(party))
    const forgeries = [
      refresh(protocol, keys).get(1)!.publicPackage,
      generateKey(protocol, { threshold: 3, parties: 5 }).get(1)!.publicPackage,
      encodePublicPackage({ ...genuine, chainCode: new Uint8Array(32) }, shares),
      encodePublicPackage(
        genuine,
        shares.map((share, i) => (i === 3 ? BASE : share)),
      ),
    ]
    for (const forged of forgeries) {
      throwsAbort(t, () => recover(protocol, keys, { ...recovery, publicPackage: forged }), 'package_mismatch')
      // Nor does it when a helper sees to it that the others have heard nothing wrong.
      const digestOf = (party: PartyIndex, incoming: Parameters<Tamper>[0]) => incoming.broadcasts.get(party)!.subarray(0, DIGEST_BYTES)
      const silenced: Tamper = (incoming, { round, to }) =>
        round === 1 && to !== 4 ? { ...incoming, broadcasts: new Map(incoming.broadcasts).set(4, digestOf(1, incoming)) } : incoming
      throwsAbort(t, () => recover(protocol, keys, { ...recovery, publicPackage: forged }, silenced), 'package_mismatch')
    }
  })

  test(`${scheme}: a helper's share is its own, and of the public package it is asked to help with`, (t) => {
    const options = { ...recovery, self: 1, key: keys.get(1)!, context: CEREMONY, rng }
    throwsAbort(t, () => protocol.recovery({ ...options, key: keys.get(2)! }), 'invalid_key')
    const refreshed = refresh(protocol, keys).get(1)!
    throwsAbort(t, () => protocol.recovery({ ...options, key: refreshed }), 'invalid_key')
    throwsAbort(t, () => protocol.recovery({ ...options, publicPackage: refreshed.publicPackage }), 'invalid_key')
    throwsAbort(t, () => protocol.recovery({ ...options, key: undefined }), 'invalid_parameters')
    throwsAbort(t, () => protocol.recovery({ ...options, self: 4 }), 'invalid_parameters')
    throwsAbort(t, () => protocol.recovery({ ...options, context: new Uint8Array() }), 'invalid_parameters')
  })

  test(`${scheme}: a recovery begun for another ceremony, or for other helpers, is not continued`, (t) => {
    const elsewhere = { ...recovery, helpers: [1, 2, 3], self: 2, key: keys.get(2)!, context: CEREMONY, rng }
    const otherwise = protocol.recovery(elsewhere).opening.broadcast
    throwsAbort(
      t,
      () =>
        recover(
          protocol,
          keys,
          recovery,
          insteadOfBroadcast(2, 1, () => otherwise),
        ),
      'invalid_contribution',
      [2],
    )
  })
}
