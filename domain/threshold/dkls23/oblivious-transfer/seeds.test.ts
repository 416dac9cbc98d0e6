import { randomBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { throwsAbort } from '../../testing/throws-abort.ts'
import {
  decodeReceiverSeeds,
  decodeSenderSeeds,
  encodeReceiverSeeds,
  encodeSenderSeeds,
  RECEIVER_SEEDS_BYTES,
  SENDER_SEEDS_BYTES,
  wipeSeeds,
} from './seeds.ts'

test('seeds that are stored are read again', (t) => {
  const ofSender = randomBytes(SENDER_SEEDS_BYTES)
  const ofReceiver = randomBytes(RECEIVER_SEEDS_BYTES)
  t.deepEqual(encodeSenderSeeds(decodeSenderSeeds(ofSender)), ofSender)
  t.deepEqual(encodeReceiverSeeds(decodeReceiverSeeds(ofReceiver)), ofReceiver)
})

test('stored seeds of another length are refused', (t) => {
  for (const length of [0, SENDER_SEEDS_BYTES - 1, SENDER_SEEDS_BYTES + 1])
    throwsAbort(t, () => decodeSenderSeeds(new Uint8Array(length)), 'invalid_key')
  for (const length of [0, RECEIVER_SEEDS_BYTES - 1, RECEIVER_SEEDS_BYTES + 1])
    throwsAbort(t, () => decodeReceiverSeeds(new Uint8Array(length)), 'invalid_key')
})

test('wiped seeds are gone from the bytes they were read from', (t) => {
  const ofSender = randomBytes(SENDER_SEEDS_BYTES)
  const ofReceiver = randomBytes(RECEIVER_SEEDS_BYTES)
  wipeSeeds(decodeSenderSeeds(ofSender))
  wipeSeeds(decodeReceiverSeeds(ofReceiver))
  t.deepEqual(ofSender, new Uint8Array(SENDER_SEEDS_BYTES))
  t.deepEqual(ofReceiver, new Uint8Array(RECEIVER_SEEDS_BYTES))
})
