/** A refresh whose polynomials are not all zero at zero would change the key, so that nobody could sign for its addresses any more. */
import { concatBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { decodePublicPackage, decodeShare, encodePublicPackage, encodeShare } from '../../domain/threshold/shared-key/key-material.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { CEREMONY, generateKey, insteadOfBroadcast, insteadOfSecret, refresh, rng } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const THRESHOLD = { threshold: 2, parties: 3 }

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const suite = ciphersuiteOf(scheme)
  const { Fn, BASE } = suite.Point
  const keys = generateKey(protocol, THRESHOLD)
  const { publicKey, publicPackage } = keys.get(1)!

  test(`${scheme}: a constant term cannot be sent along`, (t) => {
    const withConstant = (bytes: Uint8Array) => concatBytes(BASE.multiply(5n).toBytes(), bytes)
    throwsAbort(t, () => refresh(protocol, keys, { tamper: insteadOfBroadcast(2, 1, withConstant) }), 'invalid_message', [2])
    const ofKeyGeneration = protocol.keyGeneration({ self: 2, ...THRESHOLD, context: CEREMONY, rng }).opening.broadcast
    throwsAbort(t, () => refresh(protocol, keys, { tamper: insteadOfBroadcast(2, 1, () => ofKeyGeneration) }), 'invalid_message', [2])
  })

  test(`${scheme}: shares of a polynomial that is 5 at zero do not fit commitments without a constant term`, (t) => {
    const moved = (share: Uint8Array) => Fn.toBytes(Fn.add(Fn.fromBytes(share), 5n))
    throwsAbort(t, () => refresh(protocol, keys, { tamper: insteadOfSecret(2, 2, moved) }), 'invalid_secret_share', [2])
  })

  test(`${scheme}: holders who were all misled about the verifying shares refresh nothing`, (t) => {
    const genuine = decodePublicPackage(suite, publicPackage)
    for (const wrong of [1, 2, 3]) {
      const shares = [1, 2, 3].map((party) => genuine.verifyingShare(party))
      shares[wrong - 1] = shares[wrong - 1]!.add(BASE)
      const contradictory = encodePublicPackage(genuine, shares)
      const misled = new Map(
        [...keys].map(([party, key]) => {
          const share = encodeShare(party, decodeShare(suite, key).scalar, contradictory)
          return [party, { share, publicPackage: contradictory, publicKey }]
        }),
      )
      const abort = t.throws(() => refresh(protocol, misled))
      t.regex(abort?.message ?? '', /the verifying shares do not belong to the public key/)
      throwsAbort(t, () => refresh(protocol, misled), 'invalid_key')
    }
  })

  test(`${scheme}: a share that is not that of its public package is not refreshed`, (t) => {
    const scalar = Fn.toBytes(Fn.add(Fn.fromBytes(decodeShare(suite, keys.get(2)!).scalar), 1n))
    const wrong = { ...keys.get(2)!, share: encodeShare(2, scalar, publicPackage) }
    throwsAbort(t, () => refresh(protocol, new Map(keys).set(2, wrong)), 'invalid_key')
  })

  test(`${scheme}: with a threshold of 1 there is nothing to refresh`, (t) => {
    const key = generateKey(protocol, { threshold: 1, parties: 2 }).get(1)!
    throwsAbort(t, () => protocol.refresh({ key, context: CEREMONY, rng }), 'invalid_parameters')
    throwsAbort(t, () => protocol.refresh({ key: keys.get(1)!, context: new Uint8Array(), rng }), 'invalid_parameters')
  })
}
