import { concatBytes } from '@noble/hashes/utils.js'
import type { PartyIndex, RandomBytes } from '../protocol.ts'
import { draw } from '../shared-key/key-suite.ts'
import { commit, decommit, SALT_BYTES } from './commitment.ts'
import { ask } from './hashing.ts'
import { answerBaseOt, beginBaseOtReceiver } from './oblivious-transfer/base.ts'
import {
  decodeReceiverSeeds,
  decodeSenderSeeds,
  encodeReceiverSeeds,
  encodeSenderSeeds,
  RECEIVER_SEEDS_BYTES,
  type ReceiverSeeds,
  SENDER_SEEDS_BYTES,
  type SenderSeeds,
  wipeSeeds,
} from './oblivious-transfer/seeds.ts'

const ZERO_SEED_BYTES = 32
const TRANSFERS_AT = SALT_BYTES + ZERO_SEED_BYTES
const BOB_SEEDS_AT = SENDER_SEEDS_BYTES
const ZERO_SEED_AT = BOB_SEEDS_AT + RECEIVER_SEEDS_BYTES

/** Length of what a participant keeps for signing with one other: seeds to multiply as Alice (2,064 bytes), as Bob (4,096), for zero-sharing (32). */
export const SETUP_BYTES = ZERO_SEED_AT + ZERO_SEED_BYTES

export type PairwiseSetup = { readonly asAlice: SenderSeeds; readonly asBob: ReceiverSeeds; readonly zeroSeed: Uint8Array }

/** Views of the bytes: who wipes them wipes the set-up. */
export function decodeSetup(bytes: Uint8Array): PairwiseSetup {
  return {
    asAlice: decodeSenderSeeds(bytes.subarray(0, BOB_SEEDS_AT)),
    asBob: decodeReceiverSeeds(bytes.subarray(BOB_SEEDS_AT, ZERO_SEED_AT)),
    zeroSeed: bytes.subarray(ZERO_SEED_AT),
  }
}

/** One participant's side of what it sets up with another. */
export type SettingUp = {
  /** To all: a commitment to its part of the seed. */
  readonly commitment: Uint8Array
  /** To the other, when all have committed: its part of the seed, and the receiver's message of the base transfers. */
  readonly offer: Uint8Array
  /** The sender's answer to the other's offer. @throws ProtocolAbort `commitment_mismatch`, `invalid_message` */
  answer(commitment: Uint8Array, offer: Uint8Array): Uint8Array
  /** The set-up as it is stored; wiped with the rest. @throws ProtocolAbort `invalid_message` */
  finish(answer: Uint8Array): Uint8Array
  wipe(): void
}

/**
 * The oblivious transfers that multiplications extend, once in each direction (who receives here sends there), and a seed for zero-sharing to
 * which both contribute (functionality 3.4 of the paper). `sid` names the ceremony.
 */
export function setUpWith(other: PartyIndex, { self, sid, rng }: { self: PartyIndex; sid: Uint8Array; rng: RandomBytes }): SettingUp {
  const ownSid = ask('set-up/session', 32, sid, self, other)
  const othersSid = ask('set-up/session', 32, sid, other, self)
  const seed = draw(rng, ZERO_SEED_BYTES)
  const { commitment, decommitment } = commit({ sid: ownSid, committer: self }, seed, rng)
  const receiver = beginBaseOtReceiver({ sid: ownSid, rng })
  const setup = new Uint8Array(SETUP_BYTES)
  return {
    commitment,
    offer: concatBytes(decommitment, receiver.message),
    answer(commitment, offer) {
      const othersSeed = decommit({ sid: othersSid, committer: other }, commitment, offer.subarray(0, TRANSFERS_AT))
      const { reply, seeds } = answerBaseOt({ sid: othersSid, rng }, offer.subarray(TRANSFERS_AT))
      setup.set(encodeReceiverSeeds(seeds), BOB_SEEDS_AT)
      wipeSeeds(seeds)
      const parts = self < other ? [seed, othersSeed] : [othersSeed, seed]
      setup.set(ask('set-up/zero-sharing', ZERO_SEED_BYTES, sid, ...parts), ZERO_SEED_AT)
      return reply
    },
    finish(answer) {
      const seeds = receiver.finish(answer)
      setup.set(encodeSenderSeeds(seeds))
      wipeSeeds(seeds)
      return setup
    },
    wipe() {
      seed.fill(0)
      receiver.destroy()
      setup.fill(0)
    },
  }
}
