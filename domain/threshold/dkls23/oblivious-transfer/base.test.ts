import { concatBytes, randomBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { throwsAbort } from '../../testing/throws-abort.ts'
import { COMPUTATIONAL_SECURITY } from '../parameters.ts'
import { chosenOf } from '../testing/seeds.ts'
import { answerBaseOt, BASE_MESSAGE_BYTES, BASE_REPLY_BYTES, beginBaseOtReceiver } from './base.ts'
import { rowOf } from './bit-matrix.ts'
import { decodePoint, hashToPoint, POINT_BYTES } from './curve.ts'
import { type ReceiverSeeds, SEED_BYTES } from './seeds.ts'

const rng = randomBytes
const newSession = () => randomBytes(32)

const sid = newSession()
const receiver = beginBaseOtReceiver({ sid, rng })
const sender = answerBaseOt({ sid, rng }, receiver.message)

const seedsIn = (seeds: Uint8Array) => Array.from({ length: COMPUTATIONAL_SECURITY }, (_, i) => String(rowOf(seeds, i, SEED_BYTES)))
const allSeeds = ({ zeros, ones }: ReceiverSeeds) => [...seedsIn(zeros), ...seedsIn(ones)]
const changed = (bytes: Uint8Array, at: number, mask = 1) => bytes.map((byte, i) => (i === at ? byte ^ mask : byte))
const inCommon = (seeds: Uint8Array, of: ReceiverSeeds) => seedsIn(seeds).filter((seed) => allSeeds(of).includes(seed)).length

test('the receiver gets of each pair of seeds the one it has chosen', (t) => {
  const session = newSession()
  const fresh = beginBaseOtReceiver({ sid: session, rng })
  const { reply, seeds } = answerBaseOt({ sid: session, rng }, fresh.message)
  t.is(fresh.message.length, BASE_MESSAGE_BYTES)
  t.is(reply.length, BASE_REPLY_BYTES)
  const { choices, chosen } = fresh.finish(reply)
  t.deepEqual(chosen, chosenOf(choices, seeds))
  t.is(new Set(allSeeds(seeds)).size, 2 * COMPUTATIONAL_SECURITY)
})

test('a receiver that chooses only zeros, or only ones, gets only those', (t) => {
  for (const choice of [0, 255]) {
    let drawn = 0
    const biased = (length: number) => (drawn++ === 0 ? new Uint8Array(length).fill(choice) : randomBytes(length))
    const fresh = beginBaseOtReceiver({ sid, rng: biased })
    const { reply, seeds } = answerBaseOt({ sid, rng }, fresh.message)
    t.deepEqual(fresh.finish(reply).chosen, choice === 0 ? seeds.zeros : seeds.ones)
  }
})

test('two sessions, or two runs of one, have no seed in common', (t) => {
  const { seeds } = answerBaseOt({ sid, rng }, receiver.message)
  const elsewhere = answerBaseOt({ sid: newSession(), rng }, receiver.message)
  const all = [sender.seeds, seeds, elsewhere.seeds].flatMap(allSeeds)
  t.is(new Set(all).size, all.length)
})

test('a reply from another session, or to another message, gives seeds that the sender does not have', (t) => {
  const session = newSession()
  const fresh = beginBaseOtReceiver({ sid: session, rng })
  const { chosen } = fresh.finish(sender.reply)
  t.is(inCommon(chosen, sender.seeds), 0)
})

test('a message that is altered leaves the two sides with no seed in common', (t) => {
  const fresh = beginBaseOtReceiver({ sid, rng })
  const swapped = fresh.message.slice()
  const [first, second] = [0, 1].map((i) => rowOf(fresh.message, i, POINT_BYTES))
  swapped.set(second!, 0)
  swapped.set(first!, POINT_BYTES)
  const { reply, seeds } = answerBaseOt({ sid, rng }, swapped)
  t.is(inCommon(fresh.finish(reply).chosen, seeds), 0)
})

test('the same points for two transfers give seeds that have nothing to do with each other', (t) => {
  const repeated = receiver.message.slice()
  repeated.copyWithin(2 * POINT_BYTES, 0, 2 * POINT_BYTES)
  const all = allSeeds(answerBaseOt({ sid, rng }, repeated).seeds)
  t.is(new Set(all).size, all.length)
})

test('a message that is no sequence of points of the curve is refused', (t) => {
  const at = (transfer: number) => transfer * 2 * POINT_BYTES
  const malformed = {
    empty: new Uint8Array(),
    truncated: receiver.message.subarray(0, -1),
    'one transfer short': receiver.message.subarray(0, -2 * POINT_BYTES),
    extended: concatBytes(receiver.message, Uint8Array.of(0)),
    zero: new Uint8Array(BASE_MESSAGE_BYTES),
    'off the curve, at the beginning': changed(receiver.message, at(0) + 64),
    'off the curve, in the middle': changed(receiver.message, at(64) + 1, 0x80),
    'off the curve, at the end': changed(receiver.message, BASE_MESSAGE_BYTES - 1),
    'hybrid encoding': changed(receiver.message, at(5), 2),
    'compressed encoding': changed(receiver.message, at(5), 6),
  }
  for (const [what, message] of Object.entries(malformed))
    throwsAbort(t, () => answerBaseOt({ sid, rng }, message), 'invalid_message', [], what)
})

test('a message that masks the identity, whose product is known without the scalar, is refused', (t) => {
  const forged = receiver.message.slice()
  const other = rowOf(forged, 1, POINT_BYTES)
  rowOf(forged, 0, POINT_BYTES).set(hashToPoint(sid, 0, 0, other).negate().toBytes(false))
  throwsAbort(t, () => answerBaseOt({ sid, rng }, forged), 'invalid_message')
})

test('a reply that is no point of the curve is refused, and there is no second try', (t) => {
  const { reply } = sender
  const malformed = {
    empty: new Uint8Array(),
    zero: new Uint8Array(BASE_REPLY_BYTES),
    truncated: reply.subarray(0, -1),
    extended: concatBytes(reply, Uint8Array.of(0)),
    'off the curve': changed(reply, 64),
    hybrid: changed(reply, 0, 2),
    compressed: decodePoint(reply).toBytes(true),
    'the identity': Uint8Array.of(0),
  }
  for (const [what, answer] of Object.entries(malformed)) {
    const fresh = beginBaseOtReceiver({ sid, rng })
    throwsAbort(t, () => fresh.finish(answer), 'invalid_message', [], what)
    throwsAbort(t, () => fresh.finish(reply), 'out_of_order', [], what)
  }
})

test('the receiver finishes once, and not after it was destroyed', (t) => {
  const finished = beginBaseOtReceiver({ sid, rng })
  const { choices, chosen } = finished.finish(sender.reply)
  throwsAbort(t, () => finished.finish(sender.reply), 'out_of_order')
  finished.destroy()
  t.notDeepEqual(choices, new Uint8Array(choices.length))
  t.notDeepEqual(chosen, new Uint8Array(chosen.length))

  const destroyed = beginBaseOtReceiver({ sid, rng })
  destroyed.destroy()
  throwsAbort(t, () => destroyed.finish(sender.reply), 'out_of_order')
})

test('what was drawn at random is wiped, but for the choices while they are of use', (t) => {
  const drawn: Uint8Array[] = []
  const recorded = (length: number) => {
    const random = randomBytes(length)
    drawn.push(random)
    return random
  }
  const isWiped = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)
  const destroyed = beginBaseOtReceiver({ sid, rng: recorded })
  t.deepEqual(
    drawn.filter((bytes) => !isWiped(bytes)).map((bytes) => bytes.length),
    [16],
  )
  destroyed.destroy()
  t.true(drawn.every(isWiped))

  drawn.length = 0
  const failed = beginBaseOtReceiver({ sid, rng: recorded })
  t.throws(() => failed.finish(new Uint8Array()))
  t.true(drawn.every(isWiped))

  drawn.length = 0
  answerBaseOt({ sid, rng: recorded }, receiver.message)
  t.is(drawn.length, 1)
  t.true(drawn.every(isWiped))
})
