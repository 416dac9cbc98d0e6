import { ORDER, SCALAR_BYTES } from './parameters.ts'

const WORD_BYTES = 4
const WORD = 2 ** 32

/** The order, and what has to be added to take it away from 257 bits of which the highest is 1; least significant word first. */
const PLUS_ORDER = wordsOf(ORDER)
const MINUS_ORDER = wordsOf((1n << 256n) - ORDER)

/**
 * For each transfer the first of its two random vectors, less the second, plus what is to be transferred, element by element modulo the order. In words
 * of 32 bits, because big integers would be made only to be written down again: of 1,664 elements that takes a fifth of the time.
 * @param zeros the first vectors, one after the other: 32 bytes big-endian for each element, which need not be below the order
 * @param ones the second vectors, alike
 * @param vector what is transferred, alike
 * @returns elements below the order
 */
export function correctionsOf(zeros: Uint8Array, ones: Uint8Array, vector: Uint8Array): Uint8Array {
  const corrections = new Uint8Array(zeros.length)
  const [zero, one, transferred, sum] = [zeros, ones, vector, corrections].map(
    ({ buffer, byteOffset, length }) => new DataView(buffer, byteOffset, length),
  ) as [DataView, DataView, DataView, DataView]
  for (let start = 0; start < zeros.length; start += SCALAR_BYTES) {
    let above = 0
    for (let at = start + SCALAR_BYTES - WORD_BYTES; at >= start; at -= WORD_BYTES) {
      above += zero.getUint32(at) - one.getUint32(at) + transferred.getUint32(at % vector.length)
      sum.setUint32(at, above)
      above = Math.floor(above / WORD)
    }
    while (above < 0) above += add(sum, start, PLUS_ORDER)
    while (above > 0 || !isBelowOrder(sum, start)) above += add(sum, start, MINUS_ORDER) - 1
  }
  return corrections
}

/** Adds to the element that starts there. @returns what does not fit in */
function add(sum: DataView, start: number, words: readonly number[]): number {
  let carry = 0
  for (const [i, word] of words.entries()) {
    const at = start + SCALAR_BYTES - (i + 1) * WORD_BYTES
    carry += sum.getUint32(at) + word
    sum.setUint32(at, carry)
    carry = Math.floor(carry / WORD)
  }
  return carry
}

function isBelowOrder(sum: DataView, start: number): boolean {
  for (let at = start, i = PLUS_ORDER.length - 1; i >= 0; at += WORD_BYTES, i--) {
    const difference = sum.getUint32(at) - PLUS_ORDER[i]!
    if (difference !== 0) return difference < 0
  }
  return false
}

function wordsOf(scalar: bigint): number[] {
  return Array.from({ length: SCALAR_BYTES / WORD_BYTES }, (_, i) => Number(BigInt.asUintN(32, scalar >> BigInt(32 * i))))
}
