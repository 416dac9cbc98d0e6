import { HASH_BYTES, type Hash } from '../../domain/audit/merkle-tree.ts'

/** Hashes one after another, as they are stored: a million are 32 MB, where as many arrays would be four times as much. */
export type PackedHashes = {
  add(hash: Hash): void
  count(): number
  bytes(): Uint8Array
}

const FIRST_ROOM = 1_024

export function packHashes(): PackedHashes {
  let room = new Uint8Array(FIRST_ROOM * HASH_BYTES)
  let count = 0
  return {
    add(hash) {
      if (room.length === count * HASH_BYTES) {
        const larger = new Uint8Array(2 * room.length)
        larger.set(room)
        room = larger
      }
      room.set(hash, HASH_BYTES * count++)
    },
    count: () => count,
    bytes: () => room.subarray(0, count * HASH_BYTES),
  }
}

export const countHashes = (packed: Uint8Array): number => packed.length / HASH_BYTES

export const hashAt = (packed: Uint8Array, index: number): Hash => packed.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)

export function* hashesIn(packed: Uint8Array): Generator<Hash> {
  for (let index = 0; index < countHashes(packed); index++) yield hashAt(packed, index)
}
