/**
 * Columns that are gathered outside of the heap, and handed to another thread without being copied: as strings, which live until their group of rows is
 * written, they would be moved about by the garbage collector for longer than all else takes.
 */
export type Packed =
  | { readonly kind: 'numbers'; readonly values: BigInt64Array<ArrayBuffer> }
  /** Texts in UTF-8, one after the other; a length below zero is of none. */
  | { readonly kind: 'texts'; readonly bytes: Uint8Array<ArrayBuffer>; readonly lengths: Int32Array<ArrayBuffer> }
  /** Which of the values it is; below zero for none. */
  | { readonly kind: 'repeated'; readonly values: readonly (string | number)[]; readonly places: Int32Array<ArrayBuffer> }

export type ColumnPacker<Value> = { add(value: Value | undefined): void; packed(): Packed }

/** Smaller than any number that a column holds. */
const NO_NUMBER = -(2n ** 63n)
const NONE = -1
const FIRST_ROWS = 1_024

/** Positions, times in milliseconds, and the like. */
export function packNumbers(): ColumnPacker<bigint> {
  let values = new BigInt64Array(FIRST_ROWS)
  let count = 0
  return {
    add(value) {
      if (count === values.length) values = withRoom(values, new BigInt64Array(2 * count))
      values[count++] = value ?? NO_NUMBER
    },
    packed: () => ({ kind: 'numbers', values: values.subarray(0, count) }),
  }
}

/** Texts of which hardly any is there twice; room is made for so many bytes at first. */
export function packTexts(room = 0): ColumnPacker<Uint8Array | string> {
  const lengths = packIntegers()
  let bytes = new Uint8Array(room)
  let end = 0
  return {
    add(text) {
      if (text === undefined) return lengths.add(NONE)
      const encoded = typeof text === 'string' ? Buffer.from(text) : text
      if (end + encoded.length > bytes.length) bytes = withRoom(bytes, new Uint8Array(Math.max(2 * bytes.length, end + encoded.length)))
      bytes.set(encoded, end)
      end += encoded.length
      lengths.add(encoded.length)
    },
    packed: () => ({ kind: 'texts', bytes: bytes.subarray(0, end), lengths: lengths.all() }),
  }
}

/** Values that are there again and again. */
export function packRepeated<Value extends string | number>(): ColumnPacker<Value> {
  const places = packIntegers()
  const placeOf = new Map<Value, number>()
  return {
    add(value) {
      if (value === undefined) return places.add(NONE)
      let place = placeOf.get(value)
      if (place === undefined) {
        place = placeOf.size
        placeOf.set(value, place)
      }
      places.add(place)
    },
    packed: () => ({ kind: 'repeated', values: [...placeOf.keys()], places: places.all() }),
  }
}

function packIntegers() {
  let values = new Int32Array(FIRST_ROWS)
  let count = 0
  return {
    add(value: number): void {
      if (count === values.length) values = withRoom(values, new Int32Array(2 * count))
      values[count++] = value
    },
    all: () => values.subarray(0, count),
  }
}

function withRoom<Values extends { set(from: Values): void }>(from: Values, to: Values): Values {
  to.set(from)
  return to
}

/** What is handed over with the columns. */
export function buffersOf(columns: readonly Packed[]): ArrayBuffer[] {
  return columns.flatMap((column) => {
    if (column.kind === 'numbers') return [column.values.buffer]
    return column.kind === 'texts' ? [column.bytes.buffer, column.lengths.buffer] : [column.places.buffer]
  })
}

/** The values again; those that are none are undefined, and texts are left in UTF-8. */
export function unpacked(column: Packed): unknown[] {
  if (column.kind === 'numbers') return Array.from(column.values, (value) => (value === NO_NUMBER ? undefined : value))
  if (column.kind === 'repeated') return Array.from(column.places, (place) => (place === NONE ? undefined : column.values[place]))
  let end = 0
  return Array.from(column.lengths, (length) => {
    if (length === NONE) return undefined
    end += length
    return column.bytes.subarray(end - length, end)
  })
}
