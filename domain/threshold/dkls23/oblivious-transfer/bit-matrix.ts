/** Matrices of bits, a row after the other; of each byte the lowest bit comes first. Lengths are in bytes. */

/** Bit `index` of a row: 0 or 1. */
export const bitOf = (row: Uint8Array, index: number): number => (row[index >> 3]! >> (index & 7)) & 1

/** A view of one row of a matrix. */
export const rowOf = (matrix: Uint8Array, index: number, length: number) => matrix.subarray(index * length, (index + 1) * length)

/** Adds one row to another where `bit` is 1, and does the same work where it is 0. */
export function addRow(to: Uint8Array, row: Uint8Array, bit: number): void {
  const mask = -bit
  for (let i = 0; i < to.length; i++) to[i] = to[i]! ^ (row[i]! & mask)
}

/**
 * The transposed matrix of the first `columns` bits of each row. Numbers of rows and columns are multiples of 8. Squares of 8 by 8 bits are
 * transposed in two words (Hacker's Delight, section 7-3).
 */
export function transpose(matrix: Uint8Array, rowLength: number, columns: number): Uint8Array {
  const rows = matrix.length / rowLength
  const transposed = new Uint8Array((columns * rows) / 8)
  for (let row = 0; row < rows; row += 8)
    for (let column = 0; column < columns; column += 8) {
      let from = row * rowLength + (column >> 3)
      let low = 0
      let high = 0
      for (let shift = 0; shift < 32; shift += 8, from += rowLength) {
        low |= matrix[from]! << shift
        high |= matrix[from + 4 * rowLength]! << shift
      }
      low = swap(swap(low, 0x00aa00aa, 7), 0x0000cccc, 14)
      high = swap(swap(high, 0x00aa00aa, 7), 0x0000cccc, 14)
      const crossed = ((low >>> 4) ^ high) & 0x0f0f0f0f
      high ^= crossed
      low ^= crossed << 4
      let to = (column * rows + row) >> 3
      for (let shift = 0; shift < 32; shift += 8, to += rows >> 3) {
        transposed[to] = low >>> shift
        transposed[to + (rows >> 1)] = high >>> shift
      }
    }
  return transposed
}

/** Swaps the bits under the mask with those `distance` above them. */
function swap(word: number, mask: number, distance: number): number {
  const differing = (word ^ (word >>> distance)) & mask
  return word ^ differing ^ (differing << distance)
}
