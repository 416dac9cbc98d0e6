/** Participants that are named twice, or are number 0, where the polynomial is the key itself, or are nobody. */
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { PartyIndex } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { CEREMONY, contribute, generateKey, openAlone, recover, refresh, rng, type Tamper } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const NOBODY = [0, -1, 4, 1.5, Number.NaN, 2 ** 32 + 1]

/** Lets somebody speak who is not there. */
const alsoHeard =
  (party: PartyIndex): Tamper =>
  (incoming) => ({ ...incoming, broadcasts: new Map(incoming.broadcasts).set(party, incoming.broadcasts.get(2)!) })

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const keys = generateKey(protocol, { threshold: 2, parties: 3 })
  const { publicPackage } = keys.get(1)!
  const message = protocol.message(utf8ToBytes('pay 5 to carol'))

  test(`${scheme}: nobody generates a key as a participant that there is not`, (t) => {
    for (const self of NOBODY)
      throwsAbort(t, () => protocol.keyGeneration({ self, threshold: 2, parties: 3, context: CEREMONY, rng }), 'invalid_parameters')
  })

  test(`${scheme}: participants that there are not are not heard`, (t) => {
    for (const party of [0, 4]) {
      const tamper = alsoHeard(party)
      throwsAbort(t, () => generateKey(protocol, { threshold: 2, parties: 3 }, { tamper }), 'wrong_participants')
      throwsAbort(t, () => refresh(protocol, keys, { tamper }), 'wrong_participants')
      throwsAbort(t, () => contribute(protocol, keys, [1, 2], message, tamper), 'wrong_participants')
      throwsAbort(t, () => recover(protocol, keys, { lost: 3, helpers: [1, 2], publicPackage }, tamper), 'wrong_participants')
    }
  })

  test(`${scheme}: signers are distinct participants`, (t) => {
    const { openings, contributions } = contribute(protocol, keys, [1, 2], message)
    for (const signers of [[1, 1], [1, 2, 2], ...NOBODY.map((party) => [1, party])]) {
      const opened = openAlone(protocol, keys.get(1)!)
      throwsAbort(t, () => opened.contribute({ key: keys.get(1)!, path: [], signers, message }, openings), 'invalid_parameters')
      throwsAbort(
        t,
        () => protocol.aggregate({ publicPackage, path: [], signers, message, broadcasts: openings, contributions }),
        'invalid_parameters',
      )
    }
  })

  test(`${scheme}: helpers of a recovery are a quorum of distinct participants, without the one that is helped`, (t) => {
    const options = { lost: 3, helpers: [1, 2], self: 1, key: keys.get(1)!, publicPackage, context: CEREMONY, rng }
    t.notThrows(() => protocol.recovery(options).destroy())
    for (const wrong of [
      ...NOBODY.map((lost) => ({ lost })),
      ...NOBODY.map((party) => ({ helpers: [1, party] })),
      { helpers: [1, 1] },
      { helpers: [1] },
      { helpers: [1, 2, 3] },
      { lost: 1 },
      { lost: 2 },
      { self: 3 },
      { self: 0 },
    ])
      throwsAbort(t, () => protocol.recovery({ ...options, ...wrong }), 'invalid_parameters')
    throwsAbort(t, () => protocol.recovery({ ...options, self: 2 }), 'invalid_key')
  })
}
