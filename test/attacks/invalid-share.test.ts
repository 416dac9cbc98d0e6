/** A participant gives somebody a share, or a signature share, that does not fit what it has committed to. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { contribute, generateKey, insteadOfSecret, refresh } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const THRESHOLD = { threshold: 2, parties: 3 }
const CULPRIT = 2

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const { Fn } = ciphersuiteOf(scheme).Point
  const plusOne = (scalar: Uint8Array) => Fn.toBytes(Fn.add(Fn.fromBytes(scalar), 1n))
  /** Wrong values, and the right one in more than 32 bytes. */
  const changes: [what: string, change: (scalar: Uint8Array) => Uint8Array][] = [
    ['another value', plusOne],
    ['its negative', (scalar) => Fn.toBytes(Fn.neg(Fn.fromBytes(scalar)))],
    ['zero', () => new Uint8Array(32)],
    ['too large', () => new Uint8Array(32).fill(0xff)],
    ['too long', (scalar) => Uint8Array.of(...scalar, 0)],
    ['too short', (scalar) => scalar.subarray(1)],
    ['nothing', () => new Uint8Array()],
  ]

  for (const [what, change] of changes) {
    const tamper = insteadOfSecret(CULPRIT, 2, change)
    test(`${scheme}: in key generation, ${what}: the sender is named`, (t) => {
      throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper }), 'invalid_secret_share', [CULPRIT])
    })
    test(`${scheme}: in a refresh, ${what}: the sender is named`, (t) => {
      throwsAbort(t, () => refresh(protocol, generateKey(protocol, THRESHOLD), { tamper }), 'invalid_secret_share', [CULPRIT])
    })
    test(`${scheme}: in signing, ${what}: there is no signature, and the signer is named`, (t) => {
      const keys = generateKey(protocol, THRESHOLD)
      const signers = [1, CULPRIT]
      const message = protocol.message(utf8ToBytes('pay 5 to carol'))
      const { openings, contributions } = contribute(protocol, keys, signers, message)
      const said = contributions.get(CULPRIT)!
      const wrong = new Map(contributions).set(CULPRIT, concatBytes(said.subarray(0, 32), change(said.subarray(32))))
      const { publicPackage } = keys.get(1)!
      const transcript = { publicPackage, path: [], signers, message, broadcasts: openings, contributions: wrong }
      throwsAbort(t, () => protocol.aggregate(transcript), 'invalid_contribution', [CULPRIT])
    })
  }
}
