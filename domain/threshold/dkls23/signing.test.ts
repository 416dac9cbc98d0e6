import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { ByParty, Opened, PartyIndex, SigningTask, Transcript } from '../protocol.ts'
import { contribute, generateKey, open } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { dkls23 } from './dkls23.ts'
import { rerandomise } from './re-randomisation.ts'
import { suite } from './suite.ts'

const { BASE, Fn } = suite.Point
const DIGEST = dkls23.message(utf8ToBytes('pay 5 to carol'))
const ANOTHER_DIGEST = dkls23.message(utf8ToBytes('pay 500 to mallory'))
const SIGNERS = [1, 2]
const keys = generateKey(dkls23, { threshold: 2, parties: 3 })
const { publicPackage } = keys.get(1)!

/** What two signers contribute to, each what it is told. */
function contributions(tasks: ReadonlyMap<PartyIndex, Partial<SigningTask>>): { broadcasts: ByParty; contributions: ByParty } {
  const opened = open(dkls23, keys, SIGNERS)
  const broadcasts = broadcastsOf(opened)
  const task = { path: [], signers: SIGNERS, message: DIGEST }
  return {
    broadcasts,
    contributions: new Map(
      [...opened].map(([self, signer]) => [self, signer.contribute({ key: keys.get(self)!, ...task, ...tasks.get(self) }, broadcasts)]),
    ),
  }
}

const broadcastsOf = (opened: ReadonlyMap<PartyIndex, Opened>) => new Map([...opened].map(([party, { broadcast }]) => [party, broadcast]))

const aggregate = (change: Partial<Transcript>) => {
  const { openings, contributions } = contribute(dkls23, keys, SIGNERS, DIGEST)
  return dkls23.aggregate({ publicPackage, path: [], signers: SIGNERS, message: DIGEST, broadcasts: openings, contributions, ...change })
}

test('the nonce of a signature depends on all that is signed, and on all that was said', (t) => {
  const presignature = { R: BASE.multiply(5n), transcript: new Uint8Array(32) }
  const task = { publicKey: BASE.multiply(7n), path: [0, 5], signers: [1, 2], message: DIGEST }
  const deltas = [
    rerandomise(presignature, task),
    rerandomise({ ...presignature, R: BASE.multiply(6n) }, task),
    rerandomise({ ...presignature, transcript: new Uint8Array(32).fill(1) }, task),
    rerandomise(presignature, { ...task, publicKey: BASE.multiply(8n) }),
    rerandomise(presignature, { ...task, path: [0, 6] }),
    rerandomise(presignature, { ...task, path: [0] }),
    rerandomise(presignature, { ...task, path: [0, 5, 1], signers: [2] }),
    rerandomise(presignature, { ...task, signers: [1, 3] }),
    rerandomise(presignature, { ...task, message: ANOTHER_DIGEST }),
  ]
  t.is(new Set(deltas.map(({ delta }) => delta)).size, deltas.length)
  for (const { delta, R } of deltas)
    t.true(R.equals((R === deltas[1]!.R ? BASE.multiply(6n) : BASE.multiply(5n)).add(BASE.multiply(delta))))
})

test('the same presignature gives another nonce for every message and path', (t) => {
  const { broadcasts, contributions: made } = contributions(new Map())
  const { signature } = dkls23.aggregate({ publicPackage, path: [], signers: SIGNERS, message: DIGEST, broadcasts, contributions: made })
  const presigned = suite.Point.fromBytes(broadcasts.get(1)!.subarray(0, 33))
  t.not(BigInt(`0x${Buffer.from(signature.subarray(0, 32)).toString('hex')}`), Fn.create(presigned.x))
})

test('signers that were told different messages or paths make no signature', (t) => {
  for (const [message, path] of [
    [ANOTHER_DIGEST, []],
    [DIGEST, [0]],
  ] as const) {
    const { broadcasts, contributions: made } = contributions(new Map([[2, { message, path }]]))
    for (const task of [
      { message: DIGEST, path: [] },
      { message, path },
    ])
      throwsAbort(
        t,
        () => dkls23.aggregate({ publicPackage, signers: SIGNERS, broadcasts, contributions: made, ...task }),
        'invalid_contribution',
      )
  }
})

test('contributions to one message or path are none to another', (t) => {
  throwsAbort(t, () => aggregate({ message: ANOTHER_DIGEST }), 'invalid_contribution')
  for (const path of [[0], [0, 5]]) throwsAbort(t, () => aggregate({ path }), 'invalid_contribution')
  t.notThrows(() => aggregate({}))
})

test('aggregation wants exactly the words of the signers', (t) => {
  for (const signers of [[1], [1, 2, 2], [0, 1, 2], [1, 4]]) throwsAbort(t, () => aggregate({ signers }), 'invalid_parameters')
  throwsAbort(t, () => aggregate({ signers: [1, 3] }), 'wrong_participants')
  throwsAbort(t, () => aggregate({ signers: [1, 2, 3] }), 'wrong_participants')
  throwsAbort(t, () => aggregate({ contributions: new Map() }), 'wrong_participants')
  throwsAbort(t, () => aggregate({ broadcasts: new Map() }), 'wrong_participants')
  throwsAbort(t, () => aggregate({ publicPackage: publicPackage.subarray(1) }), 'invalid_key')
  throwsAbort(t, () => aggregate({ path: [-1] }), 'invalid_parameters')
})

test('aggregation names who broadcast no opening, and nobody where openings differ', (t) => {
  const { openings, contributions } = contribute(dkls23, keys, SIGNERS, DIGEST)
  const elsewhere = contribute(dkls23, keys, SIGNERS, DIGEST).openings
  throwsAbort(t, () => aggregate({ contributions, broadcasts: new Map(openings).set(2, new Uint8Array(65)) }), 'invalid_message', [2])
  throwsAbort(t, () => aggregate({ contributions, broadcasts: new Map(openings).set(2, elsewhere.get(2)!) }), 'equivocation')
  throwsAbort(t, () => aggregate({ contributions, broadcasts: elsewhere }), 'invalid_contribution')
})

test('aggregation names who contributes no scalars', (t) => {
  const { openings, contributions } = contribute(dkls23, keys, SIGNERS, DIGEST)
  const [own] = [contributions.get(2)!]
  for (const wrong of [own!.subarray(1), Uint8Array.of(...own!, 0), new Uint8Array(64).fill(0xff), new Uint8Array()])
    throwsAbort(
      t,
      () => aggregate({ broadcasts: openings, contributions: new Map(contributions).set(2, wrong) }),
      'invalid_contribution',
      [2],
    )
})

test('contributions that cancel each other out make no signature', (t) => {
  const { openings, contributions } = contribute(dkls23, keys, SIGNERS, DIGEST)
  const negative = (bytes: Uint8Array) => Fn.toBytes(Fn.neg(Fn.fromBytes(bytes)))
  const own = contributions.get(1)!
  const [u, w] = [own.subarray(0, 32), own.subarray(32)]
  const aggregateWith = (second: Uint8Array[]) =>
    aggregate({ broadcasts: openings, contributions: new Map(contributions).set(2, Buffer.concat(second)) })
  // Nothing is divided by zero.
  for (const ofSecond of [w, negative(w)])
    t.is(
      throwsAbort(t, () => aggregateWith([negative(u), ofSecond]), 'invalid_contribution'),
      'the contributions make no signature',
    )
  // s would be zero.
  t.is(
    throwsAbort(t, () => aggregateWith([u, negative(w)]), 'invalid_contribution'),
    'the contributions do not add up to a signature',
  )
})

test('a signer whose opening comes back changed, or without all the others, does not sign', (t) => {
  const refuses = (change: (broadcasts: Map<PartyIndex, Uint8Array>) => unknown, code: 'wrong_participants' | 'message_altered') => {
    const opened = open(dkls23, keys, SIGNERS)
    const broadcasts = broadcastsOf(opened)
    change(broadcasts)
    const task = { key: keys.get(1)!, path: [], signers: SIGNERS, message: DIGEST }
    throwsAbort(t, () => opened.get(1)!.contribute(task, broadcasts), code)
  }
  refuses((broadcasts) => broadcasts.delete(2), 'wrong_participants')
  refuses((broadcasts) => broadcasts.delete(1), 'wrong_participants')
  refuses((broadcasts) => broadcasts.set(3, broadcasts.get(2)!), 'wrong_participants')
  refuses((broadcasts) => broadcasts.set(1, new Uint8Array(65)), 'message_altered')
})
