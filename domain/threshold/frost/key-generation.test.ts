import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import type { PartyIndex, ProtocolAbortCode } from '../protocol.ts'
import { protocolOf } from '../registry.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../testing/ciphersuites.ts'
import { CEREMONY, generateKey, insteadOfBroadcast, insteadOfSecret, rng, sign, type Tamper } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'

const TWO_OF_THREE = { threshold: 2, parties: 3 }

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const { elementBytes, Point } = ciphersuiteOf(scheme)
  const { Fn } = Point
  const opening = (self: PartyIndex, { threshold = 2, context = CEREMONY } = {}) =>
    protocol.keyGeneration({ self, threshold, parties: 3, context, rng }).opening.broadcast
  const aborts = (t: ExecutionContext, tamper: Tamper, code: ProtocolAbortCode, culprits: PartyIndex[]) =>
    throwsAbort(t, () => generateKey(protocol, TWO_OF_THREE, { tamper }), code, culprits)
  /** A scalar that is not below the order of the group: the same one where it fits. */
  const unreduced = (scalar: Uint8Array) => {
    const sameValue = hexToBytes((Fn.fromBytes(scalar) + Fn.ORDER).toString(16).padStart(66, '0'))
    return Fn.isLE ? sameValue.subarray(1).reverse() : new Uint8Array(32).fill(0xff)
  }

  test(`${scheme}: a threshold, participant or context that cannot be is refused`, (t) => {
    const options = { self: 1, threshold: 2, parties: 3, context: CEREMONY, rng }
    for (const wrong of [
      { threshold: 0 },
      { threshold: 4 },
      { threshold: 1.5 },
      { parties: 8 },
      { self: 0 },
      { self: 4 },
      { self: 1.5 },
      { context: new Uint8Array() },
      { rng: () => new Uint8Array(8) },
    ])
      throwsAbort(t, () => protocol.keyGeneration({ ...options, ...wrong }), 'invalid_parameters', [])
  })

  test(`${scheme}: trailing and missing bytes are refused`, (t) => {
    for (const change of [(bytes: Uint8Array) => Uint8Array.of(...bytes, 0), (bytes: Uint8Array) => bytes.subarray(1)]) {
      aborts(t, insteadOfBroadcast(2, 1, change), 'invalid_message', [2])
      aborts(t, insteadOfSecret(2, 2, change), 'invalid_secret_share', [2])
    }
  })

  test(`${scheme}: an element that is not on the curve, or not in its one encoding, is refused`, (t) => {
    const wrong =
      scheme === 'frost-ed25519'
        ? // y = 2 is on no point; y = p + 3 would be the point with y = 3.
          [`02${'00'.repeat(31)}`, `f0${'ff'.repeat(30)}7f`]
        : // x = 5 is on no point; x = p + 1 would be the point with x = 1; the prefix says uncompressed.
          [`02${'00'.repeat(31)}05`, `02${'ff'.repeat(27)}fefffffc30`, `04${'00'.repeat(31)}01`]
    for (const element of wrong)
      aborts(
        t,
        insteadOfBroadcast(2, 1, (bytes) => overwrite(bytes, elementBytes, hexToBytes(element))),
        'invalid_message',
        [2],
      )
  })

  test(`${scheme}: a missing participant, and one too many, are noticed in every round`, (t) => {
    for (const at of [1, 2, 3]) {
      aborts(t, without('broadcasts', at, 3), 'wrong_participants', [])
      aborts(t, also('broadcasts', at, 4), 'wrong_participants', [])
      aborts(t, also('broadcasts', at, 0), 'wrong_participants', [])
      aborts(t, also('secrets', at, 4), 'wrong_participants', [])
    }
    aborts(t, without('secrets', 2, 3), 'wrong_participants', [])
    aborts(t, also('secrets', 1, 2), 'wrong_participants', [])
  })

  test(`${scheme}: a proof of knowledge from another ceremony or participant is refused`, (t) => {
    const elsewhere = opening(2, { context: utf8ToBytes('key 1, attempt 2') })
    aborts(
      t,
      insteadOfBroadcast(2, 1, () => elsewhere),
      'invalid_proof',
      [2],
    )
    const another = opening(1)
    aborts(
      t,
      insteadOfBroadcast(2, 1, () => another),
      'invalid_proof',
      [2],
    )
  })

  test(`${scheme}: a secret share that is not below the order of the group names its sender`, (t) => {
    aborts(t, insteadOfSecret(2, 2, unreduced), 'invalid_secret_share', [2])
  })

  test(`${scheme}: every liar is named, not just the first`, (t) => {
    const first = insteadOfSecret(2, 2, (share) => share.subarray(1))
    const second = insteadOfSecret(3, 2, (share) => share.subarray(1))
    aborts(t, (incoming, at) => second(first(incoming, at), at), 'invalid_secret_share', [2, 3])
  })

  test(`${scheme}: there is no key unless all confirm the same public package`, (t) => {
    aborts(t, insteadOfBroadcast(2, 3, flipped), 'package_mismatch', [])
  })

  test(`${scheme}: a participant notices when its own words were altered`, (t) => {
    for (const at of [1, 2, 3])
      aborts(
        t,
        (incoming, { round }) =>
          round === at ? { ...incoming, broadcasts: new Map(incoming.broadcasts).set(1, flipped(incoming.broadcasts.get(1)!)) } : incoming,
        'message_altered',
        [],
      )
  })

  test(`${scheme}: secrets that cancel each other out give no key`, (t) => {
    // One participant draws the secret 2, the other its negative.
    const drawing = (...values: bigint[]) => {
      const rest = [...values]
      return (length: number) => {
        const bytes = new Uint8Array(length)
        bytes.set(Fn.toBytes(rest.shift() ?? 41n), Fn.isLE ? 0 : length - Fn.BYTES)
        return bytes
      }
    }
    const randomOf = (party: PartyIndex) => (party === 1 ? drawing(1n) : drawing(Fn.ORDER - 3n))
    throwsAbort(t, () => generateKey(protocol, { threshold: 1, parties: 2 }, { randomOf }), 'invalid_message', [])
  })

  test(`${scheme}: a participant that has aborted, finished or been destroyed answers nothing`, (t) => {
    const alone = () => protocol.keyGeneration({ self: 1, threshold: 1, parties: 1, context: CEREMONY, rng })
    const heard = (broadcast: Uint8Array) => ({ broadcasts: new Map([[1, broadcast]]), secrets: new Map() })

    const destroyed = alone()
    destroyed.destroy()
    throwsAbort(t, () => destroyed.next(heard(destroyed.opening.broadcast)), 'out_of_order', [])

    const aborted = alone()
    throwsAbort(t, () => aborted.next(heard(flipped(aborted.opening.broadcast))), 'message_altered', [])
    throwsAbort(t, () => aborted.next(heard(aborted.opening.broadcast)), 'out_of_order', [])

    const finished = alone()
    let step = finished.next(heard(finished.opening.broadcast))
    while (step.kind === 'message') step = finished.next(heard(step.outgoing.broadcast))
    throwsAbort(t, () => finished.next(heard(finished.opening.broadcast)), 'out_of_order', [])
    finished.destroy()
    const message = protocol.message(CEREMONY)
    const { signature } = sign(protocol, new Map([[1, step.result]]), [1], message)
    t.true(protocol.verify(step.result.publicKey, message, signature), 'the result outlives the participant')
  })
}

function overwrite(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  const changed = bytes.slice()
  changed.set(part, at)
  return changed
}

const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))

const without =
  (what: 'broadcasts' | 'secrets', inRound: number, party: PartyIndex): Tamper =>
  (incoming, { round }) =>
    round === inRound ? { ...incoming, [what]: new Map([...incoming[what]].filter(([from]) => from !== party)) } : incoming

const also =
  (what: 'broadcasts' | 'secrets', inRound: number, party: PartyIndex): Tamper =>
  (incoming, { round }) =>
    round === inRound ? { ...incoming, [what]: new Map(incoming[what]).set(party, incoming.broadcasts.get(2)!) } : incoming
