import { CONSISTENCY_BITS, TRANSFERS } from '../parameters.ts'

export const HASH_BYTES = CONSISTENCY_BITS / 8

/** A row has one bit for each transfer, and after them random ones that mask its hash. */
export const ROW_BYTES = TRANSFERS / 8 + HASH_BYTES

/** One element of the field for each block of the bits that are hashed. */
export const CHALLENGE_BYTES = Math.ceil(TRANSFERS / CONSISTENCY_BITS) * HASH_BYTES

/**
 * The universal hash of the consistency check (SoftSpokenOT, ePrint 2022/192; figure 10 of ePrint 2015/546 as corrected in 2022): the blocks of
 * 128 bits of a row, the last one filled up with zeros, are multiplied by the elements of the challenge and added to the row's mask, in the field of
 * 2^128 elements modulo x^128 + x^7 + x^2 + x + 1. It is linear, and rows that differ collide for one challenge in 2^128.
 *
 * As the challenge is the same for all rows, what each four bits of a row add is looked up.
 */
export function rowHash(challenge: Uint8Array): (row: Uint8Array) => Uint8Array {
  const table = tabulate(challenge)
  return (row) => {
    const words = new DataView(row.buffer, row.byteOffset + TRANSFERS / 8, HASH_BYTES)
    let [w0, w1, w2, w3] = [0, 4, 8, 12].map((at) => words.getUint32(at, true)) as [number, number, number, number]
    for (let nibble = 0; nibble < TRANSFERS / 4; nibble++) {
      const value = (row[nibble >> 1]! >> ((nibble & 1) * 4)) & 15
      const at = (nibble * 16 + value) * 4
      w0 ^= table[at]!
      w1 ^= table[at + 1]!
      w2 ^= table[at + 2]!
      w3 ^= table[at + 3]!
    }
    const hash = new DataView(new ArrayBuffer(HASH_BYTES))
    for (const [i, word] of [w0, w1, w2, w3].entries()) hash.setUint32(4 * i, word, true)
    return new Uint8Array(hash.buffer)
  }
}

/** For every four bits of a row and each of their 16 values the sum of what the bits stand for, as four words. */
function tabulate(challenge: Uint8Array): Uint32Array {
  const table = new Uint32Array((TRANSFERS / 4) * 16 * 4)
  const words = new DataView(challenge.buffer, challenge.byteOffset, challenge.length)
  const power = new Uint32Array(4)
  for (let bit = 0; bit < TRANSFERS; bit++) {
    if (bit % CONSISTENCY_BITS === 0) for (let i = 0; i < 4; i++) power[i] = words.getUint32(bit / 8 + 4 * i, true)
    const entries = (bit >> 2) * 16
    const own = 1 << (bit & 3)
    for (let value = own; value < 2 * own; value++)
      for (let i = 0; i < 4; i++) table[(entries + value) * 4 + i] = table[(entries + value - own) * 4 + i]! ^ power[i]!
    timesX(power)
  }
  return table
}

function timesX(element: Uint32Array): void {
  const overflow = element[3]! >>> 31
  for (let i = 3; i > 0; i--) element[i] = (element[i]! << 1) | (element[i - 1]! >>> 31)
  element[0] = (element[0]! << 1) ^ (0x87 & -overflow)
}
