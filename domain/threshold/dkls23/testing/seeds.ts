import { randomBytes } from '@noble/hashes/utils.js'
import { bitOf, rowOf } from '../oblivious-transfer/bit-matrix.ts'
import { CHOICE_BYTES, type ReceiverSeeds, SEED_BYTES, type SenderSeeds } from '../oblivious-transfer/seeds.ts'
import { COMPUTATIONAL_SECURITY } from '../parameters.ts'

/** What the base transfers leave on either side, without them. */
export function seedsOfBoth(choices = randomBytes(CHOICE_BYTES)): { alice: SenderSeeds; bob: ReceiverSeeds } {
  const bob = { zeros: randomBytes(COMPUTATIONAL_SECURITY * SEED_BYTES), ones: randomBytes(COMPUTATIONAL_SECURITY * SEED_BYTES) }
  return { alice: { choices, chosen: chosenOf(choices, bob) }, bob }
}

/** Of the two seeds of each transfer the one that is chosen. */
export function chosenOf(choices: Uint8Array, { zeros, ones }: ReceiverSeeds): Uint8Array {
  const chosen = new Uint8Array(zeros.length)
  for (let transfer = 0; transfer < COMPUTATIONAL_SECURITY; transfer++)
    rowOf(chosen, transfer, SEED_BYTES).set(rowOf(bitOf(choices, transfer) === 1 ? ones : zeros, transfer, SEED_BYTES))
  return chosen
}
