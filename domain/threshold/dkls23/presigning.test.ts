/** Each check of presigning, against a signer that deviates where only this check sees it. */
import { bytesToNumberBE } from '@noble/curves/utils.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { PartyIndex } from '../protocol.ts'
import { generateKey, insteadOfBroadcast, insteadOfSecret, open, rng } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { dkls23 } from './dkls23.ts'
import { presign } from './presigning.ts'
import { suite } from './suite.ts'
import { nonceOfVictim, openWithInsider } from './testing/insider.ts'

const { Fn, BASE } = suite.Point
const INSIDER = 2
const PAIR = generateKey(dkls23, { threshold: 2, parties: 2 })
const THREE = generateKey(dkls23, { threshold: 2, parties: 3 })

test('who keeps to the protocol is believed', (t) => {
  t.true(dkls23.isOpening(openWithInsider(PAIR).broadcast))
})

test('who multiplies with another r than that of the R it shows is named', (t) => {
  const deviation = { inputs: ({ r, sk }: { r: bigint; sk: bigint }) => ({ r: Fn.add(r, 1n), sk }) }
  throwsAbort(t, () => openWithInsider(PAIR, deviation), 'invalid_multiplication', [INSIDER])
})

test('who multiplies with another sk than that of the pk it shows is named', (t) => {
  const deviation = { inputs: ({ r, sk }: { r: bigint; sk: bigint }) => ({ r, sk: Fn.add(sk, 1n) }) }
  throwsAbort(t, () => openWithInsider(PAIR, deviation), 'invalid_multiplication', [INSIDER])
})

test('who multiplies with the negatives of what it shows is named', (t) => {
  const deviation = { inputs: ({ r, sk }: { r: bigint; sk: bigint }) => ({ r: Fn.neg(r), sk: Fn.neg(sk) }) }
  throwsAbort(t, () => openWithInsider(PAIR, deviation), 'invalid_multiplication', [INSIDER])
})

test('who multiplies with what has the same abscissa is named, unless it has guessed what the victim draws after it has spoken', (t) => {
  const random = (length: number) => new Uint8Array(length).fill(7)
  const guess = Fn.create(bytesToNumberBE(random(32)))
  const inputs = ({ r, sk }: { r: bigint; sk: bigint }) => ({ r: Fn.neg(Fn.add(r, Fn.mul(2n, guess))), sk: Fn.neg(sk) })
  t.notThrows(() => openWithInsider(PAIR, { inputs }, random))
  throwsAbort(t, () => openWithInsider(PAIR, { inputs }), 'invalid_multiplication', [INSIDER])
})

test('errors in both products do not make up for each other', (t) => {
  const deviation = { inputs: ({ r, sk }: { r: bigint; sk: bigint }) => ({ r: Fn.add(r, 1n), sk: Fn.sub(sk, 1n) }) }
  throwsAbort(t, () => openWithInsider(PAIR, deviation), 'invalid_multiplication', [INSIDER])
})

test('who commits to another result of either multiplication than it has is named', (t) => {
  for (const deviation of [
    { gammas: ({ u, v }: { u: typeof BASE; v: typeof BASE }) => ({ u: u.add(BASE), v }) },
    { gammas: ({ u, v }: { u: typeof BASE; v: typeof BASE }) => ({ u, v: v.add(BASE) }) },
  ])
    throwsAbort(t, () => openWithInsider(PAIR, deviation), 'invalid_multiplication', [INSIDER])
})

test('who brings in another share of the key, consistently, makes no signature of another key; nobody can say who it was', (t) => {
  const deviation = {
    inputs: ({ r, sk }: { r: bigint; sk: bigint }) => ({ r, sk: Fn.add(sk, 1n) }),
    shown: ({ R, pk }: { R: typeof BASE; pk: typeof BASE }) => ({ R, pk: pk.add(BASE) }),
  }
  throwsAbort(t, () => openWithInsider(PAIR, deviation), 'invalid_contribution')
})

test('nonces that add up to the identity, whose r is known to be zero, open nothing, though every product is right', (t) => {
  const random = (length: number) => new Uint8Array(length).fill(7)
  const opposite = Fn.neg(nonceOfVictim(PAIR, random))
  const choosing = (r: bigint) => ({
    inputs: ({ sk }: { sk: bigint }) => ({ r, sk }),
    shown: ({ pk }: { pk: typeof BASE }) => ({ R: BASE.multiply(r), pk }),
  })
  t.notThrows(() => openWithInsider(PAIR, choosing(Fn.add(opposite, 1n)), random))
  t.is(
    throwsAbort(t, () => openWithInsider(PAIR, choosing(opposite), random), 'invalid_message'),
    'the nonce is the identity',
  )
})

test('who has committed to another R than it reveals is named', (t) => {
  throwsAbort(
    t,
    () =>
      open(
        dkls23,
        THREE,
        [1, 2, 3],
        insteadOfBroadcast(INSIDER, 2, (bytes) => bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte))),
      ),
    'commitment_mismatch',
    [INSIDER],
  )
})

test('signers that were told different commitments do not go on', (t) => {
  for (const onlyTo of [1, 3]) {
    const tamper = insteadOfBroadcast(INSIDER, 1, () => anotherCommitment(INSIDER), onlyTo)
    throwsAbort(t, () => open(dkls23, THREE, [1, 2, 3], tamper), 'equivocation')
  }
})

test('signers that were shown different nonces or keys do not sign', (t) => {
  const digest = dkls23.message(utf8ToBytes('pay 5 to carol'))
  const opened = open(dkls23, THREE, [1, 2])
  const elsewhere = open(dkls23, THREE, [1, 2])
  const broadcasts = new Map([
    [1, opened.get(1)!.broadcast],
    [2, elsewhere.get(2)!.broadcast],
  ])
  const task = { key: THREE.get(1)!, path: [], signers: [1, 2], message: digest }
  throwsAbort(t, () => opened.get(1)!.contribute(task, broadcasts), 'equivocation')
})

test('every liar is named, not just the first', (t) => {
  const truncated = (bytes: Uint8Array) => bytes.subarray(1)
  for (const round of [1, 2]) {
    const first = insteadOfSecret(2, round, truncated)
    const second = insteadOfSecret(3, round, truncated)
    throwsAbort(t, () => open(dkls23, THREE, [1, 2, 3], (incoming, at) => second(first(incoming, at), at)), 'invalid_message', [2, 3])
  }
})

test('who fails a multiplication is named, whatever else is wrong with the message of somebody in league with it', (t) => {
  const truncated = (bytes: Uint8Array) => bytes.subarray(1)
  const corrupted = (bytes: Uint8Array) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))
  for (const [accomplice, liar] of [
    [2, 3],
    [3, 2],
  ] as const) {
    const first = insteadOfSecret(accomplice, 1, truncated)
    const second = insteadOfSecret(liar, 1, corrupted)
    const altered: Parameters<typeof open>[3] = (incoming, at) => second(first(incoming, at), at)
    throwsAbort(t, () => open(dkls23, THREE, [1, 2, 3], altered), 'invalid_multiplication', [liar])
  }
})

/** A commitment that this participant could have sent. */
function anotherCommitment(self: PartyIndex): Uint8Array {
  const participant = presign({ key: THREE.get(self)!, signers: [1, 2, 3], context: utf8ToBytes('opening 1'), rng })
  participant.destroy()
  return participant.opening.broadcast
}
