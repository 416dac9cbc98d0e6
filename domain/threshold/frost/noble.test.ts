import type { FROST } from '@noble/curves/abstract/frost.js'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { schnorr_FROST } from '@noble/curves/secp256k1.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { PartyIndex } from '../protocol.ts'
import { protocolOf } from '../registry.ts'
import { decodePublicPackage, decodeShare } from '../shared-key/key-material.ts'
import { ciphersuiteOf, FROST_SCHEMES, type FrostScheme } from '../testing/ciphersuites.ts'
import { generateKey, openAlone } from '../testing/star.ts'
import { VERIFIERS } from '../testing/verifiers.ts'

const NOBLE: Readonly<Record<FrostScheme, FROST>> = { 'frost-ed25519': ed25519_FROST, 'frost-secp256k1-tr': schnorr_FROST }

for (const scheme of FROST_SCHEMES)
  test(`${scheme}: one signer of ours and one of noble-curves' sign together, and either side aggregates`, (t) => {
    const protocol = protocolOf(scheme)
    const noble = NOBLE[scheme]
    const suite = ciphersuiteOf(scheme)
    const elementBytes = suite.elementBytes
    const keys = generateKey(protocol, { threshold: 2, parties: 3 })
    const { publicPackage, publicKey } = keys.get(1)!
    const { publicKey: groupKey, verifyingShare } = decodePublicPackage(suite, publicPackage)
    const name = (party: PartyIndex) => noble.Identifier.fromNumber(party)
    const theirPackage = {
      signers: { min: 2, max: 3 },
      commitments: [groupKey.toBytes()],
      verifyingShares: Object.fromEntries([1, 2, 3].map((party) => [name(party), verifyingShare(party).toBytes()])),
    }
    const theirSecret = { identifier: name(2), signingShare: decodeShare(suite, keys.get(2)!).scalar }
    const message = protocol.message(utf8ToBytes('pay 5 to carol'))

    // Both parities of R have to occur.
    for (let repetition = 0; repetition < 8; repetition++) {
      const ours = openAlone(protocol, keys.get(1)!)
      const theirs = noble.commit(theirSecret)
      const opening = ours.broadcast
      const broadcasts = new Map([
        [1, opening],
        [2, concatBytes(theirs.commitments.hiding, theirs.commitments.binding)],
      ])
      const list = [
        { identifier: name(1), hiding: opening.subarray(0, elementBytes), binding: opening.subarray(elementBytes) },
        theirs.commitments,
      ]
      const contribution = ours.contribute({ key: keys.get(1)!, path: [], signers: [1, 2], message }, broadcasts)
      const ourShare = contribution.subarray(32)
      const theirShare = noble.signShare(theirSecret, theirPackage, theirs.nonces, list, message)

      const byThem = noble.aggregate(theirPackage, list, message, { [name(1)]: ourShare, [name(2)]: theirShare })
      const contributions = new Map([
        [1, contribution],
        [2, concatBytes(contribution.subarray(0, 32), theirShare)],
      ])
      const byUs = protocol.aggregate({ publicPackage, path: [], signers: [1, 2], message, broadcasts, contributions })
      t.deepEqual(byUs.signature, byThem)
      t.true(VERIFIERS[scheme](publicKey, message, byUs.signature))
    }
  })
