/** A growing list of whole numbers below 2^32, at four bytes each. */
export type Column = {
  /** `index` must be less than the length. */
  get(index: number): number
  set(index: number, value: number): void
  push(value: number): void
  /** Forgets everything from `length` on. */
  truncate(length: number): void
}

const CHUNK_BITS = 14
const CHUNK = 1 << CHUNK_BITS

export function createColumn(): Column {
  const chunks: Uint32Array[] = []
  let length = 0
  const set = (index: number, value: number) => {
    chunks[index >>> CHUNK_BITS]![index & (CHUNK - 1)] = value
  }
  return {
    get: (index) => chunks[index >>> CHUNK_BITS]![index & (CHUNK - 1)]!,
    set,
    push(value) {
      if (length === chunks.length * CHUNK) chunks.push(new Uint32Array(CHUNK))
      set(length, value)
      length += 1
    },
    truncate(shorter) {
      length = shorter
    },
  }
}
