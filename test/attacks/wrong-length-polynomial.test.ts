/** One participant shares a polynomial of another degree than agreed: a longer one raises the threshold, so that a quorum cannot sign. */
import { concatBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { CEREMONY, generateKey, insteadOfBroadcast, refresh, rng } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const THRESHOLD = { threshold: 2, parties: 3 }

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const { elementBytes } = ciphersuiteOf(scheme)

  test(`${scheme}: key generation refuses a polynomial that is longer or shorter than the threshold`, (t) => {
    for (const threshold of [1, 3]) {
      const opening = protocol.keyGeneration({ self: 2, threshold, parties: 3, context: CEREMONY, rng }).opening.broadcast
      const tamper = insteadOfBroadcast(2, 1, () => opening)
      throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper }), 'invalid_message', [2])
    }
  })

  test(`${scheme}: a longer polynomial whose last commitment is held back is refused, as its proof is for another threshold`, (t) => {
    const longer = protocol.keyGeneration({ self: 2, threshold: 3, parties: 3, context: CEREMONY, rng }).opening.broadcast
    const stripped = concatBytes(longer.subarray(0, 2 * elementBytes), longer.subarray(3 * elementBytes))
    throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper: insteadOfBroadcast(2, 1, () => stripped) }), 'invalid_proof', [2])
  })

  test(`${scheme}: a refresh refuses a polynomial that is longer or shorter than the key's`, (t) => {
    const keys = new Map([2, 3, 4].map((threshold) => [threshold, generateKey(protocol, { threshold, parties: 4 })]))
    for (const threshold of [2, 4]) {
      const opening = protocol.refresh({ key: keys.get(threshold)!.get(2)!, context: CEREMONY, rng }).opening.broadcast
      const tamper = insteadOfBroadcast(2, 1, () => opening)
      throwsAbort(t, () => refresh(protocol, keys.get(3)!, { tamper }), 'invalid_message', [2])
    }
  })
}
