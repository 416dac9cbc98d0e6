/** Each check of key generation and refresh, against a participant that deviates where only this check sees it. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { KeyMaterial, PartyIndex } from '../protocol.ts'
import { deal, type Terms } from '../shared-key/dealing.ts'
import { CEREMONY, generateKey, refresh, rng, sign, type Tamper } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { commit } from './commitment.ts'
import { dkls23 } from './dkls23.ts'
import { ask } from './hashing.ts'
import { decodeShare } from './key-material.ts'
import { suite } from './suite.ts'

const DEVIANT = 3
const COMMITMENT_BYTES = 32
const ECHO_BYTES = 32
const ELEMENT_BYTES = 33
const TWO_OF_THREE = { threshold: 2, parties: 3 }
const keys = generateKey(dkls23, TWO_OF_THREE)

const generationSid = ask('key-generation/session', 32, 2, 3, CEREMONY)
const refreshSid = (key: KeyMaterial) => ask('refresh/session', 32, decodeShare(key).packageDigest, CEREMONY)

/** The deviant commits to these bytes in place of its polynomial, and reveals them: all is consistent but what they say. */
function dealing(bytes: Uint8Array, sid: Uint8Array): Tamper {
  const { commitment, decommitment } = commit({ sid, committer: DEVIANT }, bytes, rng)
  return (incoming, { round, to }) => {
    if (to === DEVIANT) return incoming
    const said = incoming.broadcasts.get(DEVIANT)!
    const say = (words: Uint8Array) => ({ ...incoming, broadcasts: new Map(incoming.broadcasts).set(DEVIANT, words) })
    if (round === 1) return say(concatBytes(commitment, said.subarray(COMMITMENT_BYTES)))
    if (round === 2) return say(concatBytes(incoming.broadcasts.get(to)!.subarray(0, ECHO_BYTES), decommitment))
    return incoming
  }
}

/** What an honest participant would deal under these terms. */
const dealt = (terms: Partial<Terms> = {}, self: PartyIndex = DEVIANT) =>
  deal(suite, { self, threshold: 2, constantTerm: 'random', context: generationSid, rng, ...terms }).broadcast

test('whoever knows not what it has committed to generates no key', (t) => {
  const [own, another] = [dealt(), dealt()]
  const unproven = concatBytes(own.subarray(0, 2 * ELEMENT_BYTES), another.subarray(2 * ELEMENT_BYTES))
  throwsAbort(t, () => generateKey(dkls23, TWO_OF_THREE, { tamper: dealing(unproven, generationSid) }), 'invalid_proof', [DEVIANT])
})

test('a proof is that of its prover, and of its ceremony', (t) => {
  for (const bytes of [dealt({}, 1), dealt({ context: utf8ToBytes('elsewhere') })])
    throwsAbort(t, () => generateKey(dkls23, TWO_OF_THREE, { tamper: dealing(bytes, generationSid) }), 'invalid_proof', [DEVIANT])
})

test('nobody deals a polynomial of another degree', (t) => {
  for (const threshold of [1, 3])
    throwsAbort(t, () => generateKey(dkls23, TWO_OF_THREE, { tamper: dealing(dealt({ threshold }), generationSid) }), 'invalid_message', [
      DEVIANT,
    ])
})

test('the identity is no commitment', (t) => {
  const bytes = dealt()
  for (const at of [0, ELEMENT_BYTES]) {
    const identity = bytes.slice().fill(0, at, at + ELEMENT_BYTES)
    throwsAbort(t, () => generateKey(dkls23, TWO_OF_THREE, { tamper: dealing(identity, generationSid) }), 'invalid_message', [DEVIANT])
  }
})

test("nobody takes over another's commitment, which it could open once the other has", (t) => {
  const tamper: Tamper = (incoming, { round, to }) => {
    if (to === DEVIANT || round > 2) return incoming
    const part = round === 1 ? COMMITMENT_BYTES : Number.POSITIVE_INFINITY
    const words = concatBytes(incoming.broadcasts.get(1)!.subarray(0, part), incoming.broadcasts.get(DEVIANT)!.subarray(part))
    return { ...incoming, broadcasts: new Map(incoming.broadcasts).set(DEVIANT, words) }
  }
  const echoing: Tamper = (incoming, at) => {
    const told = tamper(incoming, at)
    if (at.round !== 2 || at.to === DEVIANT) return told
    const echo = incoming.broadcasts.get(at.to)!.subarray(0, ECHO_BYTES)
    const broadcasts = new Map([...told.broadcasts].map(([from, said]) => [from, concatBytes(echo, said.subarray(ECHO_BYTES))]))
    return { ...told, broadcasts }
  }
  throwsAbort(t, () => generateKey(dkls23, TWO_OF_THREE, { tamper: echoing }), 'commitment_mismatch', [DEVIANT])
})

test('in a refresh every coefficient is proven', (t) => {
  const keys = generateKey(dkls23, { threshold: 3, parties: 3 })
  const sid = refreshSid(keys.get(1)!)
  const terms = { threshold: 3, constantTerm: 'zero', context: sid } as const
  const [own, another] = [dealt(terms), dealt(terms)]
  const unproven = own.slice()
  unproven.set(another.subarray(-65), own.length - 65)
  throwsAbort(t, () => refresh(dkls23, keys, { tamper: dealing(unproven, sid) }), 'invalid_proof', [DEVIANT])
})

test('a refresh has no constant term that could move the key', (t) => {
  const sid = refreshSid(keys.get(1)!)
  const tamper = dealing(dealt({ context: sid }), sid)
  throwsAbort(t, () => refresh(dkls23, keys, { tamper }), 'invalid_message', [DEVIANT])
})

test('a share of another package takes no part in a refresh', (t) => {
  const refreshed = refresh(dkls23, keys)
  throwsAbort(t, () => refresh(dkls23, new Map(keys).set(DEVIANT, refreshed.get(DEVIANT)!)), 'equivocation')
  throwsAbort(
    t,
    () => dkls23.refresh({ key: { ...keys.get(1)!, publicPackage: refreshed.get(1)!.publicPackage }, context: CEREMONY, rng }),
    'invalid_key',
  )
  throwsAbort(t, () => dkls23.refresh({ key: keys.get(1)!, context: new Uint8Array(), rng }), 'invalid_parameters')
})

test('what is set up is another in every ceremony, also of the same name', (t) => {
  const again = generateKey(dkls23, TWO_OF_THREE)
  t.notDeepEqual(again.get(1)!.publicKey, keys.get(1)!.publicKey)
  t.notDeepEqual(again.get(1)!.publicPackage.slice(3, 35), keys.get(1)!.publicPackage.slice(3, 35), 'the chain code')
  const digest = dkls23.message(utf8ToBytes('pay 5 to carol'))
  t.throws(() => sign(dkls23, new Map(keys).set(2, again.get(2)!), [1, 2], digest))
})
