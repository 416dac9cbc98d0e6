import { concatBytes, randomBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { throwsAbort } from '../../testing/throws-abort.ts'
import { COMPUTATIONAL_SECURITY, TRANSFERS } from '../parameters.ts'
import { seedsOfBoth } from '../testing/seeds.ts'
import { addRow, bitOf, rowOf } from './bit-matrix.ts'
import { HASH_BYTES, ROW_BYTES } from './consistency-check.ts'
import { CHOICES_BYTES, COLUMN_BYTES, EXTENSION_MESSAGE_BYTES, extendAsReceiver, extendAsSender } from './extension.ts'
import { CHOICE_BYTES, type ReceiverSeeds, SEED_BYTES, type SenderSeeds } from './seeds.ts'

const rng = randomBytes
const sid = randomBytes(32)
const CORRECTIONS_AT = 32
const HASH_AT = CORRECTIONS_AT + COMPUTATIONAL_SECURITY * ROW_BYTES
const DIGEST_AT = HASH_AT + HASH_BYTES

/** A run in which both are honest, to alter something of. */
const { alice, bob } = seedsOfBoth()
const choices = randomBytes(CHOICES_BYTES)
const { message } = extendAsReceiver({ sid, seeds: bob, choices, rng })

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const changed = (original: Uint8Array, bit: number) => original.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
const replaced = (original: Uint8Array, at: number, by: Uint8Array) => {
  const copy = original.slice()
  copy.set(by, at)
  return copy
}
const accepts = (seeds: SenderSeeds, sent: Uint8Array) => {
  try {
    return extendAsSender({ sid, seeds }, sent)
  } catch {
    return undefined
  }
}

function relates(t: ExecutionContext, q: Uint8Array, r: Uint8Array, chosen: Uint8Array, offset: Uint8Array): void {
  const expected = r.slice()
  for (let transfer = 0; transfer < TRANSFERS; transfer++) addRow(rowOf(expected, transfer, COLUMN_BYTES), offset, bitOf(chosen, transfer))
  t.deepEqual(q, expected)
}

test("the sender's columns are the receiver's, plus the offset where the choice is 1", (t) => {
  fc.assert(
    fc.property(bytes(CHOICES_BYTES), bytes(CHOICE_BYTES), bytes(32), (chosen, offset, session) => {
      const seeds = seedsOfBoth(offset)
      const receiver = extendAsReceiver({ sid: session, seeds: seeds.bob, choices: chosen, rng })
      t.is(receiver.message.length, EXTENSION_MESSAGE_BYTES)
      t.is(receiver.columns.length, TRANSFERS * COLUMN_BYTES)
      relates(t, extendAsSender({ sid: session, seeds: seeds.alice }, receiver.message), receiver.columns, chosen, offset)
    }),
    { numRuns: 15 },
  )
})

test('a message of another length is refused', (t) => {
  for (const sent of [new Uint8Array(), message.subarray(0, -1), concatBytes(message, Uint8Array.of(0)), message.subarray(ROW_BYTES)])
    throwsAbort(t, () => extendAsSender({ sid, seeds: alice }, sent), 'invalid_message')
})

test('a message of which any part is altered is refused', (t) => {
  const row = (i: number) => rowOf(message.subarray(CORRECTIONS_AT), i, ROW_BYTES)
  const altered = {
    'all zero': new Uint8Array(message.length),
    'nonce zero': replaced(message, 0, new Uint8Array(32)),
    'corrections zero': replaced(message, CORRECTIONS_AT, new Uint8Array(HASH_AT - CORRECTIONS_AT)),
    'a row zero': replaced(message, CORRECTIONS_AT, new Uint8Array(ROW_BYTES)),
    'rows swapped': replaced(replaced(message, CORRECTIONS_AT, row(1)), CORRECTIONS_AT + ROW_BYTES, row(0)),
    'hash zero': replaced(message, HASH_AT, new Uint8Array(HASH_BYTES)),
    'digest zero': replaced(message, DIGEST_AT, new Uint8Array(32)),
  }
  for (const [what, sent] of Object.entries(altered))
    throwsAbort(t, () => extendAsSender({ sid, seeds: alice }, sent), 'invalid_multiplication', [], what)
})

test('a message with any bit flipped is refused, whatever the bits of the sender', (t) => {
  fc.assert(
    fc.property(fc.nat(message.length * 8 - 1), (bit) => {
      throwsAbort(t, () => extendAsSender({ sid, seeds: alice }, changed(message, bit)), 'invalid_multiplication', [], `bit ${bit}`)
    }),
    { numRuns: 60, examples: [[0], [CORRECTIONS_AT * 8], [HASH_AT * 8 - 1], [HASH_AT * 8], [DIGEST_AT * 8 - 1], [DIGEST_AT * 8]] },
  )
})

test('a message of another session, or of another pair of parties, is refused', (t) => {
  throwsAbort(t, () => extendAsSender({ sid: randomBytes(32), seeds: alice }, message), 'invalid_multiplication')
  throwsAbort(t, () => extendAsSender({ sid, seeds: seedsOfBoth().alice }, message), 'invalid_multiplication')
})

test('parts of two messages of one session do not go together', (t) => {
  const { message: other } = extendAsReceiver({ sid, seeds: bob, choices, rng })
  for (const at of [CORRECTIONS_AT, HASH_AT, DIGEST_AT]) {
    const mixed = concatBytes(message.subarray(0, at), other.subarray(at))
    throwsAbort(t, () => extendAsSender({ sid, seeds: alice }, mixed), 'invalid_multiplication', [], `from ${at} on`)
  }
})

/**
 * What a receiver sends that takes another seed for one of the two of a row: consistent if the sender has the other one, and not if it has
 * this one. It is the best a cheating receiver can do: to guess bits of the sender, one for each row.
 */
function guessing(guesses: ReadonlyMap<number, number>): ReceiverSeeds {
  const seeds = { zeros: bob.zeros.slice(), ones: bob.ones.slice() }
  for (const [row, guess] of guesses) rowOf(guess === 0 ? seeds.ones : seeds.zeros, row, SEED_BYTES).set(randomBytes(SEED_BYTES))
  return seeds
}

test("selective failure: whoever sends a row with other choices is found out unless it has guessed the sender's bit", (t) => {
  for (let row = 0; row < COMPUTATIONAL_SECURITY; row += 5)
    for (const guess of [0, 1]) {
      const sent = extendAsReceiver({ sid, seeds: guessing(new Map([[row, guess]])), choices, rng })
      const right = bitOf(alice.choices, row) === guess
      if (right) relates(t, extendAsSender({ sid, seeds: alice }, sent.message), sent.columns, choices, alice.choices)
      else throwsAbort(t, () => extendAsSender({ sid, seeds: alice }, sent.message), 'invalid_multiplication', [], `row ${row}`)
    }
})

test('selective failure of an extension: one wrong guess among many right ones is found out', (t) => {
  const right = Array.from({ length: 20 }, (_, i) => [6 * i, bitOf(alice.choices, 6 * i)] as const)
  const send = (guesses: readonly (readonly [number, number])[]) =>
    extendAsReceiver({ sid, seeds: guessing(new Map(guesses)), choices, rng }).message
  t.truthy(accepts(alice, send(right)))
  for (const [wrong, [row, bit]] of right.entries()) t.falsy(accepts(alice, send(right.with(wrong, [row, 1 - bit]))))
})

test('selective failure: of random guesses of three bits one in eight gets through', (t) => {
  const attempts = 240
  let through = 0
  for (let i = 0; i < attempts; i++) {
    const rows = new Map([3, 64, 100].map((row) => [row, randomBytes(1)[0]! & 1]))
    if (accepts(alice, extendAsReceiver({ sid, seeds: guessing(rows), choices, rng }).message)) through++
  }
  // 30 are expected, with a standard deviation of 5.1: outside these bounds once in 10^8 runs or less.
  t.true(through > 3 && through < 62, `${through} of ${attempts}`)
})

test('a session that is used twice by mistake does not show in which choices the two differ', (t) => {
  const others = randomBytes(CHOICES_BYTES)
  const again = extendAsReceiver({ sid, seeds: bob, choices: others, rng }).message
  const difference = choices.slice()
  addRow(difference, others, 1)
  for (let i = 0; i < COMPUTATIONAL_SECURITY; i++) {
    const sum = rowOf(message.subarray(CORRECTIONS_AT), i, ROW_BYTES).slice(0, CHOICES_BYTES)
    addRow(sum, rowOf(again.subarray(CORRECTIONS_AT), i, ROW_BYTES), 1)
    t.notDeepEqual(sum, difference)
  }
})

test('what masks the hash of the choices is drawn anew, and wiped', (t) => {
  const drawn: Uint8Array[] = []
  extendAsReceiver({
    sid,
    seeds: bob,
    choices,
    rng: (length) => {
      drawn.push(randomBytes(length))
      return drawn.at(-1)!
    },
  })
  const masks = drawn.filter((random) => random.length === HASH_BYTES)
  t.is(masks.length, 1)
  t.deepEqual(masks[0], new Uint8Array(HASH_BYTES))
})
