import { concatBytes, randomBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { ProtocolAbort, type RandomBytes } from '../protocol.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import {
  type Bob,
  MULTIPLICATION_MESSAGE_BYTES,
  MULTIPLICATION_REPLY_BYTES,
  multiplyAsAlice,
  multiplyAsBob,
  type Pair,
} from './multiplication.ts'
import { answerBaseOt, beginBaseOtReceiver } from './oblivious-transfer/base.ts'
import { addRow, bitOf, rowOf } from './oblivious-transfer/bit-matrix.ts'
import { CHOICES_BYTES, COLUMN_BYTES, extendAsSender } from './oblivious-transfer/extension.ts'
import { decodeReceiverSeeds, decodeSenderSeeds, encodeReceiverSeeds, encodeSenderSeeds, SEED_BYTES } from './oblivious-transfer/seeds.ts'
import { CHECKS, INPUTS, ORDER, SCALAR_BYTES, TRANSFERS } from './parameters.ts'
import { decodeScalars, encodeScalars, modulo, reduceScalars } from './scalars.ts'
import { seedsOfBoth } from './testing/seeds.ts'
import { challengeOf, combine, digestOf, gadgetOf, padsOf, sessionOf, WIDTH, weigh } from './transferred-vectors.ts'

const rng: RandomBytes = randomBytes
const seeds = seedsOfBoth()
const newSession = () => randomBytes(32)
const INPUT: Pair = [0x1234n, ORDER - 5n]

const CORRECTIONS_AT = 32
const COMBINED_AT = CORRECTIONS_AT + TRANSFERS * WIDTH * SCALAR_BYTES
const DIGEST_AT = COMBINED_AT + CHECKS * SCALAR_BYTES

const scalar = fc.oneof(fc.constantFrom(0n, 1n, 2n, ORDER - 1n, ORDER / 2n), fc.bigInt({ min: 0n, max: ORDER - 1n }))

/** A run in which both have been honest so far. */
function run(sid: Uint8Array = newSession(), inputs: Pair = INPUT, bobsRng = rng) {
  const bob = multiplyAsBob({ sid, seeds: seeds.bob, rng: bobsRng })
  const { reply, outputs } = multiplyAsAlice({ sid, seeds: seeds.alice, inputs, rng }, bob.message)
  return { sid, bob, reply, outputs }
}

const multiplies = (inputs: Pair, alices: Pair, bobs: Pair, chi: bigint) =>
  inputs.every((input, i) => modulo(alices[i]! + bobs[i]!) === modulo(input * chi))

/** A source of randomness that gives Bob these choices; they are the first he draws. */
function choosing(choices: Uint8Array) {
  let drawn = 0
  return (length: number) => (drawn++ === 0 ? choices.slice() : randomBytes(length))
}

const replaced = (original: Uint8Array, at: number, by: Uint8Array) => {
  const copy = original.slice()
  copy.set(by, at)
  return copy
}

test("the two shares add up to Bob's factor times each of Alice's inputs", (t) => {
  fc.assert(
    fc.property(scalar, scalar, (first, second) => {
      const { bob, reply, outputs } = run(newSession(), [first, second])
      t.is(bob.message.length, MULTIPLICATION_MESSAGE_BYTES)
      t.is(reply.length, MULTIPLICATION_REPLY_BYTES)
      t.true(multiplies([first, second], outputs, bob.finish(reply), bob.chi))
    }),
    { numRuns: 30 },
  )
})

test("Bob's factor is the sum of the elements of the gadget that he has chosen", (t) => {
  const sid = newSession()
  const gadget = gadgetOf(sid)
  t.is(new Set(gadget).size, TRANSFERS)
  const all = run(sid, INPUT, choosing(new Uint8Array(CHOICES_BYTES).fill(255)))
  t.is(all.bob.chi, modulo(gadget.reduce((sum, element) => sum + element)))
  t.true(multiplies(INPUT, all.outputs, all.bob.finish(all.reply), all.bob.chi))
  const none = run(sid, INPUT, choosing(new Uint8Array(CHOICES_BYTES)))
  t.is(none.bob.chi, 0n)
  t.true(multiplies(INPUT, none.outputs, none.bob.finish(none.reply), 0n))
})

test('seeds of real base transfers, stored and read again, serve one multiplication after the other', (t) => {
  const setUp = newSession()
  const receiver = beginBaseOtReceiver({ sid: setUp, rng })
  const sender = answerBaseOt({ sid: setUp, rng }, receiver.message)
  const alice = decodeSenderSeeds(encodeSenderSeeds(receiver.finish(sender.reply)))
  const bobsSeeds = decodeReceiverSeeds(encodeReceiverSeeds(sender.seeds))
  for (let i = 0; i < 3; i++) {
    const sid = newSession()
    const bob = multiplyAsBob({ sid, seeds: bobsSeeds, rng })
    const { reply, outputs } = multiplyAsAlice({ sid, seeds: alice, inputs: INPUT, rng }, bob.message)
    t.true(multiplies(INPUT, outputs, bob.finish(reply), bob.chi))
  }
})

test('base transfers that were altered on the way are found out by the first multiplication', (t) => {
  const setUp = newSession()
  const receiver = beginBaseOtReceiver({ sid: setUp, rng })
  const { reply } = answerBaseOt({ sid: setUp, rng }, receiver.message)
  const other = answerBaseOt({ sid: setUp, rng }, receiver.message)
  const alice = receiver.finish(reply)
  const sid = newSession()
  const bob = multiplyAsBob({ sid, seeds: other.seeds, rng })
  throwsAbort(t, () => multiplyAsAlice({ sid, seeds: alice, inputs: INPUT, rng }, bob.message), 'invalid_multiplication')
})

test('one seed of one base transfer that differs is found out if the sender has chosen it, and does no harm if not', (t) => {
  const sid = newSession()
  for (const choice of [0, 1])
    for (const transfer of [0, 77]) {
      const altered = { zeros: seeds.bob.zeros.slice(), ones: seeds.bob.ones.slice() }
      rowOf(choice === 0 ? altered.zeros : altered.ones, transfer, SEED_BYTES)[3]! ^= 4
      const bob = multiplyAsBob({ sid, seeds: altered, rng })
      const answer = () => multiplyAsAlice({ sid, seeds: seeds.alice, inputs: INPUT, rng }, bob.message)
      if (bitOf(seeds.alice.choices, transfer) === choice) throwsAbort(t, answer, 'invalid_multiplication')
      else {
        const { reply, outputs } = answer()
        t.true(multiplies(INPUT, outputs, bob.finish(reply), bob.chi))
      }
    }
})

test('Alice refuses an input that is no scalar', (t) => {
  const sid = newSession()
  const { message } = multiplyAsBob({ sid, seeds: seeds.bob, rng })
  const inputs: Pair[] = [
    [-1n, 0n],
    [ORDER, 0n],
    [0n, ORDER],
    [0n, -1n],
  ]
  for (const input of inputs)
    throwsAbort(t, () => multiplyAsAlice({ sid, seeds: seeds.alice, inputs: input, rng }, message), 'invalid_parameters')
})

test("Alice refuses Bob's message altered, cut, or from another session", (t) => {
  const sid = newSession()
  const { message } = multiplyAsBob({ sid, seeds: seeds.bob, rng })
  const answer = (session: Uint8Array, sent: Uint8Array) => () =>
    multiplyAsAlice({ sid: session, seeds: seeds.alice, inputs: INPUT, rng }, sent)
  throwsAbort(t, answer(sid, message.subarray(1)), 'invalid_message')
  throwsAbort(t, answer(sid, new Uint8Array()), 'invalid_message')
  throwsAbort(t, answer(sid, new Uint8Array(message.length)), 'invalid_multiplication')
  throwsAbort(t, answer(newSession(), message), 'invalid_multiplication')
  for (const at of [0, 31, 32, 5_000, message.length - 49, message.length - 33, message.length - 1])
    throwsAbort(t, answer(sid, replaced(message, at, Uint8Array.of(message[at]! ^ 0x10))), 'invalid_multiplication', [], `byte ${at}`)
})

test("Bob refuses Alice's reply of another length", (t) => {
  const lengths: ((reply: Uint8Array) => Uint8Array)[] = [
    () => new Uint8Array(),
    (reply) => reply.subarray(0, -1),
    (reply) => reply.subarray(1),
    (reply) => concatBytes(reply, Uint8Array.of(0)),
    (reply) => concatBytes(reply.subarray(0, CORRECTIONS_AT), reply.subarray(CORRECTIONS_AT + SCALAR_BYTES)),
  ]
  for (const alter of lengths) {
    const { bob, reply } = run()
    throwsAbort(t, () => bob.finish(alter(reply)), 'invalid_message')
  }
})

test("Bob refuses scalars in Alice's reply that are not below the order, which would be another encoding of the same", (t) => {
  for (const at of [CORRECTIONS_AT, COMBINED_AT - SCALAR_BYTES, COMBINED_AT, DIGEST_AT - SCALAR_BYTES]) {
    const { bob, reply } = run()
    throwsAbort(t, () => bob.finish(replaced(reply, at, new Uint8Array(SCALAR_BYTES).fill(255))), 'invalid_message', [], `byte ${at}`)
  }
})

test("Bob refuses Alice's reply with any part zero, exchanged, or from another run", (t) => {
  const zero = (from: number, to: number) => (reply: Uint8Array) => replaced(reply, from, new Uint8Array(to - from))
  const scalarAt = (reply: Uint8Array, i: number) => rowOf(reply.subarray(CORRECTIONS_AT), i, SCALAR_BYTES)
  const alterations: { [what: string]: (reply: Uint8Array, sid: Uint8Array) => Uint8Array } = {
    'all zero': zero(0, MULTIPLICATION_REPLY_BYTES),
    'nonce zero': zero(0, CORRECTIONS_AT),
    'corrections zero': zero(CORRECTIONS_AT, COMBINED_AT),
    'combined zero': zero(COMBINED_AT, DIGEST_AT),
    'one combination zero': zero(COMBINED_AT + SCALAR_BYTES, DIGEST_AT),
    'digest zero': zero(DIGEST_AT, MULTIPLICATION_REPLY_BYTES),
    'corrections exchanged': (reply) =>
      replaced(replaced(reply, CORRECTIONS_AT, scalarAt(reply, 1)), CORRECTIONS_AT + SCALAR_BYTES, scalarAt(reply, 0).slice()),
    'combinations exchanged': (reply) =>
      replaced(
        reply,
        COMBINED_AT,
        concatBytes(reply.subarray(COMBINED_AT + SCALAR_BYTES, DIGEST_AT), reply.subarray(COMBINED_AT, COMBINED_AT + SCALAR_BYTES)),
      ),
    'of another session': () => run().reply,
    'of another run of the same session': (_, sid) => run(sid).reply,
    'nonce of another run': (reply) => replaced(reply, 0, run().reply.subarray(0, CORRECTIONS_AT)),
    'digest of another run': (reply) => replaced(reply, DIGEST_AT, run().reply.subarray(DIGEST_AT)),
  }
  for (const [what, alter] of Object.entries(alterations)) {
    const { sid, bob, reply } = run()
    throwsAbort(t, () => bob.finish(alter(reply, sid)), 'invalid_multiplication', [], what)
  }
})

test("Bob refuses Alice's reply with any bit flipped", (t) => {
  const edges = [0, CORRECTIONS_AT, COMBINED_AT, DIGEST_AT, MULTIPLICATION_REPLY_BYTES]
  fc.assert(
    fc.property(fc.nat(MULTIPLICATION_REPLY_BYTES * 8 - 1), (bit) => {
      const { bob, reply } = run()
      const at = bit >> 3
      const abort = t.throws(() => bob.finish(replaced(reply, at, Uint8Array.of(reply[at]! ^ (1 << (bit & 7))))), {
        instanceOf: ProtocolAbort,
      })
      t.true(abort?.code === 'invalid_multiplication' || abort?.code === 'invalid_message', `bit ${bit}`)
    }),
    {
      numRuns: 60,
      examples: edges
        .flatMap((edge) => [edge * 8 - 1, edge * 8])
        .filter((bit) => bit >= 0 && bit < MULTIPLICATION_REPLY_BYTES * 8)
        .map((bit) => [bit]),
    },
  )
})

/** What a transfer is told that is not so: what is added to its vector, and which choice of Bob's Alice bets on. */
type Lie = { readonly transfer: number; readonly added: readonly bigint[]; readonly guess: number }

/** The reply of an Alice who sends different inputs in some transfers and does what she can so that Bob's check passes. */
function lyingReply(sid: Uint8Array, message: Uint8Array, lies: readonly Lie[], nonce: Uint8Array = randomBytes(32)): Uint8Array {
  const columns = extendAsSender({ sid, seeds: seeds.alice }, message)
  const session = sessionOf(sid, message, nonce)
  const zeros = reduceScalars(padsOf(session, columns))
  for (let transfer = 0; transfer < TRANSFERS; transfer++) addRow(rowOf(columns, transfer, COLUMN_BYTES), seeds.alice.choices, 1)
  const ones = reduceScalars(padsOf(session, columns))
  const vector = [...INPUT, 7n, 8n]
  const sent = zeros.map((zero, at) => zero - ones[at]! + vector[at % WIDTH]!)
  const expected = [...zeros]
  for (const { transfer, added, guess } of lies)
    for (const [i, value] of added.entries()) {
      sent[transfer * WIDTH + i]! += value
      if (guess === 1) expected[transfer * WIDTH + i]! += value
    }
  const corrections = encodeScalars(sent.map(modulo))
  const challenge = challengeOf(session, corrections)
  return concatBytes(nonce, corrections, encodeScalars(combine(challenge, vector)), digestOf(session, combine(challenge, expected)))
}

/** Whether Bob, with these choices, is taken in by the lies. */
function takenIn(choices: Uint8Array, lies: readonly Lie[]): boolean {
  const sid = newSession()
  const bob = multiplyAsBob({ sid, seeds: seeds.bob, rng: choosing(choices) })
  const reply = lyingReply(sid, bob.message, lies)
  try {
    bob.finish(reply)
    return true
  } catch (error) {
    if (error instanceof ProtocolAbort && error.code === 'invalid_multiplication') return false
    throw error
  }
}

test('an Alice who tells no lie passes', (t) => {
  t.true(takenIn(randomBytes(CHOICES_BYTES), []))
})

test("selective failure: different inputs in one transfer are found out unless Alice has guessed Bob's choice", (t) => {
  const choices = randomBytes(CHOICES_BYTES)
  for (let transfer = 0; transfer < TRANSFERS; transfer += 23)
    for (const guess of [0, 1])
      t.is(takenIn(choices, [{ transfer, added: [1n, 0n], guess }]), bitOf(choices, transfer) === guess, `transfer ${transfer}`)
})

test('selective failure: either input, and either of what masks the two checks, is checked', (t) => {
  const choices = randomBytes(CHOICES_BYTES)
  for (let i = 0; i < WIDTH; i++) {
    const added = Array.from({ length: WIDTH }, (_, at) => (at === i ? 1n : 0n))
    const transfer = 100 + i
    const bit = bitOf(choices, transfer)
    t.true(takenIn(choices, [{ transfer, added, guess: bit }]), `element ${i}`)
    t.false(takenIn(choices, [{ transfer, added, guess: 1 - bit }]), `element ${i}`)
  }
})

test('selective failure: one wrong guess among many right ones is found out', (t) => {
  const choices = randomBytes(CHOICES_BYTES)
  const right = Array.from({ length: 12 }, (_, i) => ({ transfer: 31 * i, added: [5n, 6n], guess: bitOf(choices, 31 * i) }))
  t.true(takenIn(choices, right))
  for (const [i, lie] of right.entries()) t.false(takenIn(choices, right.with(i, { ...lie, guess: 1 - lie.guess })), `guess ${i}`)
})

test('a lie that would not show under the challenge of the truth is found out, as the challenge depends on the lie', (t) => {
  const choices = new Uint8Array(CHOICES_BYTES).fill(255)
  const sid = newSession()
  const bob = multiplyAsBob({ sid, seeds: seeds.bob, rng: choosing(choices) })
  const nonce = randomBytes(32)
  const truth = lyingReply(sid, bob.message, [], nonce)
  const challenge = challengeOf(sessionOf(sid, bob.message, nonce), truth.subarray(CORRECTIONS_AT, COMBINED_AT))
  const cancelling = combine(challenge, [1n, 0n, 0n, 0n]).map((sum) => modulo(-sum))
  t.deepEqual(combine(challenge, [1n, 0n, ...cancelling]), [0n, 0n])
  const lie = { transfer: 11, added: [1n, 0n, ...cancelling], guess: 0 }
  throwsAbort(t, () => bob.finish(lyingReply(sid, bob.message, [lie], nonce)), 'invalid_multiplication')
})

test('a right guess leaves Alice with the same products: she learns the bit, and Bob gets no wrong share', (t) => {
  const choices = randomBytes(CHOICES_BYTES)
  const sid = newSession()
  const bob = multiplyAsBob({ sid, seeds: seeds.bob, rng: choosing(choices) })
  const transfer = 200
  const lie = { transfer, added: [9n, 0n], guess: bitOf(choices, transfer) }
  const reply = lyingReply(sid, bob.message, [lie])
  const [first, second] = bob.finish(reply)
  const columns = extendAsSender({ sid, seeds: seeds.alice }, bob.message)
  const gadget = gadgetOf(sid)
  const [alices, others] = weigh(gadget, reduceScalars(padsOf(sessionOf(sid, bob.message, reply.subarray(0, 32)), columns))).map(
    (sum) => -sum,
  )
  // What she has added reaches Bob's share where his bit is 1, and there she can subtract it from hers.
  const known = lie.guess === 1 ? 9n * gadget[transfer]! : 0n
  t.true(multiplies(INPUT, [alices! - known, others!], [first, second], bob.chi))
})

test("what only signing can check: that Alice's inputs are those she has committed to", (t) => {
  const sid = newSession()
  const bob = multiplyAsBob({ sid, seeds: seeds.bob, rng })
  const others: Pair = [INPUT[0] + 1n, INPUT[1]]
  const { reply, outputs } = multiplyAsAlice({ sid, seeds: seeds.alice, inputs: others, rng }, bob.message)
  const shares = bob.finish(reply)
  t.true(multiplies(others, outputs, shares, bob.chi))
  t.false(multiplies(INPUT, outputs, shares, bob.chi))
})

test('Bob finishes once: whatever comes of it there is no second try', (t) => {
  const ends: ((bob: Bob, reply: Uint8Array) => void)[] = [
    (bob, reply) => bob.finish(reply),
    (bob) => t.throws(() => bob.finish(new Uint8Array())),
    (bob, reply) => t.throws(() => bob.finish(replaced(reply, DIGEST_AT, new Uint8Array(32)))),
    (bob) => bob.destroy(),
  ]
  for (const end of ends) {
    const { bob, reply } = run()
    end(bob, reply)
    throwsAbort(t, () => bob.finish(reply), 'out_of_order')
  }
})

test('a session that is used twice by mistake does not show how the inputs of the two differ', (t) => {
  const sid = newSession()
  const { message } = multiplyAsBob({ sid, seeds: seeds.bob, rng })
  const corrections = ([0n, 3n] as const).map((added) => {
    const { reply } = multiplyAsAlice({ sid, seeds: seeds.alice, inputs: [INPUT[0] + added, INPUT[1]], rng }, message)
    return decodeScalars(reply.subarray(CORRECTIONS_AT, COMBINED_AT))
  })
  for (let transfer = 0; transfer < TRANSFERS; transfer++)
    for (let input = 0; input < INPUTS; input++) {
      const difference = modulo(corrections[1]![transfer * WIDTH + input]! - corrections[0]![transfer * WIDTH + input]!)
      t.not(difference, input === 0 ? 3n : 0n)
    }
})

test('what was drawn at random is wiped, but for the nonces', (t) => {
  const drawn: Uint8Array[] = []
  const recorded = (length: number) => {
    drawn.push(randomBytes(length))
    return drawn.at(-1)!
  }
  const NONCE = 32
  const kept = () => drawn.filter((bytes) => bytes.some((byte) => byte !== 0)).map((bytes) => bytes.length)
  for (const end of ['finish', 'destroy'] as const) {
    drawn.length = 0
    const { bob, reply } = run(newSession(), INPUT, recorded)
    t.deepEqual(kept(), [CHOICES_BYTES, NONCE])
    if (end === 'finish') bob.finish(reply)
    else bob.destroy()
    t.deepEqual(kept(), [NONCE])
  }
  drawn.length = 0
  const sid = newSession()
  multiplyAsAlice({ sid, seeds: seeds.alice, inputs: INPUT, rng: recorded }, multiplyAsBob({ sid, seeds: seeds.bob, rng }).message)
  t.is(drawn.length, 2)
  t.deepEqual(kept(), [NONCE])
})
