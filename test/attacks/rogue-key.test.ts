/** A participant that speaks last makes its commitments out of the others', to own the key alone or to undo a refresh. */
import { concatBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { generateKey, refresh, type Tamper } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const THRESHOLD = { threshold: 2, parties: 3 }
const ROGUE = 3

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const { Point, elementBytes } = ciphersuiteOf(scheme)

  /** Puts `chosen` minus the others' first commitments for its own, so that the sum of all is `chosen`. */
  const summingUpTo =
    (chosen: typeof Point.BASE): Tamper =>
    (incoming, { round, to }) => {
      if (round !== 1 || to === ROGUE) return incoming
      const first = (party: number) => Point.fromBytes(incoming.broadcasts.get(party)!.subarray(0, elementBytes))
      const rogue = chosen.subtract(first(1)).subtract(first(2))
      const rest = incoming.broadcasts.get(ROGUE)!.subarray(elementBytes)
      return { ...incoming, broadcasts: new Map(incoming.broadcasts).set(ROGUE, concatBytes(rogue.toBytes(), rest)) }
    }

  test(`${scheme}: a key of which one participant would know all is not generated`, (t) => {
    throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper: summingUpTo(Point.BASE.multiply(5n)) }), 'invalid_proof', [ROGUE])
  })

  test(`${scheme}: commitments that cancel the others' do not pass for a refresh`, (t) => {
    const keys = generateKey(protocol, THRESHOLD)
    throwsAbort(t, () => refresh(protocol, keys, { tamper: summingUpTo(Point.BASE) }), 'invalid_proof', [ROGUE])
  })

  test(`${scheme}: in a refresh not even the last of several coefficients may be made out of the others'`, (t) => {
    const keys = generateKey(protocol, { threshold: 3, parties: 3 })
    const tamper: Tamper = (incoming, { round, to }) => {
      if (round !== 1 || to === ROGUE) return incoming
      const last = (party: number) => Point.fromBytes(incoming.broadcasts.get(party)!.subarray(elementBytes, 2 * elementBytes))
      const said = incoming.broadcasts.get(ROGUE)!
      const rogue = concatBytes(
        said.subarray(0, elementBytes),
        Point.BASE.subtract(last(1)).subtract(last(2)).toBytes(),
        said.subarray(2 * elementBytes),
      )
      return { ...incoming, broadcasts: new Map(incoming.broadcasts).set(ROGUE, rogue) }
    }
    throwsAbort(t, () => refresh(protocol, keys, { tamper }), 'invalid_proof', [ROGUE])
  })

  test(`${scheme}: somebody else's commitments and proof are nobody else's`, (t) => {
    const copying: Tamper = (incoming, { round, to }) =>
      round !== 1 || to === ROGUE
        ? incoming
        : { ...incoming, broadcasts: new Map(incoming.broadcasts).set(ROGUE, incoming.broadcasts.get(1)!) }
    throwsAbort(t, () => generateKey(protocol, THRESHOLD, { tamper: copying }), 'invalid_proof', [ROGUE])
    throwsAbort(t, () => refresh(protocol, generateKey(protocol, THRESHOLD), { tamper: copying }), 'invalid_proof', [ROGUE])
  })
}
