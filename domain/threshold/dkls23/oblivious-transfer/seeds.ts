import { ProtocolAbort } from '../../protocol.ts'
import { COMPUTATIONAL_SECURITY } from '../parameters.ts'

export const SEED_BYTES = COMPUTATIONAL_SECURITY / 8
export const CHOICE_BYTES = COMPUTATIONAL_SECURITY / 8

/**
 * What the extension's sender (Alice, the receiver of the base transfers) keeps: 128 choice bits, the lowest of each byte first, and one seed
 * for each. The choice bits are the correlation of all its extensions.
 */
export type SenderSeeds = { readonly choices: Uint8Array; readonly chosen: Uint8Array }

/** What the extension's receiver (Bob, the sender of the base transfers) keeps: the seeds for choices of 0, and those for choices of 1. */
export type ReceiverSeeds = { readonly zeros: Uint8Array; readonly ones: Uint8Array }

const SEEDS_BYTES = COMPUTATIONAL_SECURITY * SEED_BYTES

export const SENDER_SEEDS_BYTES = CHOICE_BYTES + SEEDS_BYTES
export const RECEIVER_SEEDS_BYTES = 2 * SEEDS_BYTES

/** Both as bytes of fixed length: 2,064 and 4,096. */
export const encodeSenderSeeds = ({ choices, chosen }: SenderSeeds) => joined(choices, chosen)
export const encodeReceiverSeeds = ({ zeros, ones }: ReceiverSeeds) => joined(zeros, ones)

/** Views of the bytes: who wipes them wipes the seeds. @throws ProtocolAbort `invalid_key` */
export function decodeSenderSeeds(bytes: Uint8Array): SenderSeeds {
  const [choices, chosen] = split(bytes, CHOICE_BYTES, SENDER_SEEDS_BYTES)
  return { choices, chosen }
}

/** Views of the bytes: who wipes them wipes the seeds. @throws ProtocolAbort `invalid_key` */
export function decodeReceiverSeeds(bytes: Uint8Array): ReceiverSeeds {
  const [zeros, ones] = split(bytes, SEEDS_BYTES, RECEIVER_SEEDS_BYTES)
  return { zeros, ones }
}

export function wipeSeeds(seeds: SenderSeeds | ReceiverSeeds): void {
  for (const secret of Object.values(seeds)) secret.fill(0)
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

function split(bytes: Uint8Array, at: number, length: number): [Uint8Array, Uint8Array] {
  if (bytes.length !== length) throw new ProtocolAbort('invalid_key', 'stored seeds of a pairwise set-up have the wrong length')
  return [bytes.subarray(0, at), bytes.subarray(at)]
}
