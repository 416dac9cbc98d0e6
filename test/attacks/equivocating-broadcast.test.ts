/** A participant, or whoever carries the messages, tells participants different things in the first round. */
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import {
  CEREMONY,
  contribute,
  generateKey,
  insteadOfBroadcast,
  openAlone,
  recover,
  refresh,
  rng,
} from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const THRESHOLD = { threshold: 2, parties: 3 }

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const keys = generateKey(protocol, THRESHOLD)
  const { publicPackage } = keys.get(1)!

  test(`${scheme}: in key generation`, (t) => {
    const otherwise = protocol.keyGeneration({ self: 2, ...THRESHOLD, context: CEREMONY, rng }).opening.broadcast
    for (const to of [1, 3])
      throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper: insteadOfBroadcast(2, 1, () => otherwise, to) }), 'equivocation')
  })

  test(`${scheme}: in a refresh`, (t) => {
    const otherwise = protocol.refresh({ key: keys.get(2)!, context: CEREMONY, rng }).opening.broadcast
    for (const to of [1, 3])
      throwsAbort(t, () => refresh(protocol, keys, { tamper: insteadOfBroadcast(2, 1, () => otherwise, to) }), 'equivocation')
  })

  test(`${scheme}: in a recovery`, (t) => {
    const recovery = { lost: 3, helpers: [1, 2], publicPackage }
    const helper = { ...recovery, self: 2, key: keys.get(2)!, context: CEREMONY, rng }
    const otherwise = protocol.recovery(helper).opening.broadcast
    for (const to of [1, 3])
      throwsAbort(
        t,
        () =>
          recover(
            protocol,
            keys,
            recovery,
            insteadOfBroadcast(2, 1, () => otherwise, to),
          ),
        'equivocation',
      )
  })

  test(`${scheme}: an echo that is altered`, (t) => {
    const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))
    const tamper = insteadOfBroadcast(2, 2, flipped)
    throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper }), 'equivocation')
    throwsAbort(t, () => refresh(protocol, keys, { tamper }), 'equivocation')
    for (const round of [2, 3])
      throwsAbort(
        t,
        () => recover(protocol, keys, { lost: 3, helpers: [1, 2], publicPackage }, insteadOfBroadcast(2, round, flipped)),
        'equivocation',
      )
  })

  test(`${scheme}: in signing there is no echo, and shares made for different openings are no signature`, (t) => {
    const signers = [1, 2, 3]
    const message = protocol.message(utf8ToBytes('pay 5 to carol'))
    const otherwise = openAlone(protocol, keys.get(2)!).broadcast
    const { openings, contributions } = contribute(
      protocol,
      keys,
      signers,
      message,
      insteadOfBroadcast(2, 1, () => otherwise, 3),
    )
    const transcript = { publicPackage, path: [], signers, message, broadcasts: openings, contributions }
    throwsAbort(t, () => protocol.aggregate(transcript), 'invalid_contribution', [3])
  })
}
