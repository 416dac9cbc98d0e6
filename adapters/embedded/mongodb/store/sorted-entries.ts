/** The lower or upper end of a scan: a prefix of the key, included or not. */
export type Bound = { prefix: readonly unknown[]; inclusive: boolean }

export type Range = { low: Bound; high: Bound }

export type SortedEntries<Entry> = {
  readonly size: number
  insert(entry: Entry): void
  remove(entry: Entry): void
  /** In order, or backwards. The entries must not change while the scan goes on. */
  scan(range: Range, backwards?: boolean): Generator<Entry>
}

const BLOCK_SIZE = 512

/** The first index at which `reached` is true, by bisection; `length` when there is none. */
function bisect(length: number, reached: (index: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (reached(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Entries kept in order, in blocks of bounded size, so that an insertion moves a few hundred references however many entries there are.
 * `compare` is a total order; `comparePrefix` says where an entry's key lies relative to a prefix.
 */
export function createSortedEntries<Entry>(
  compare: (a: Entry, b: Entry) => number,
  comparePrefix: (entry: Entry, prefix: readonly unknown[]) => number,
): SortedEntries<Entry> {
  const blocks: Entry[][] = []
  let size = 0

  /** Position of the first entry for which `reached` holds, which must be false up to some point and true from there on. */
  function locate(reached: (entry: Entry) => boolean): [block: number, index: number] {
    const block = bisect(blocks.length, (i) => reached(blocks[i]!.at(-1)!))
    const entries = blocks[block]
    return [block, entries ? bisect(entries.length, (i) => reached(entries[i]!)) : 0]
  }

  function insert(entry: Entry): void {
    const [block, index] = locate((other) => compare(other, entry) >= 0)
    const target = Math.min(block, blocks.length - 1)
    const entries = blocks[target]
    if (!entries) blocks.push([entry])
    else {
      entries.splice(target === block ? index : entries.length, 0, entry)
      if (entries.length > BLOCK_SIZE) blocks.splice(target + 1, 0, entries.splice(BLOCK_SIZE >>> 1))
    }
    size++
  }

  function remove(entry: Entry): void {
    const [block, index] = locate((other) => compare(other, entry) >= 0)
    const entries = blocks[block]
    const found = entries?.[index]
    if (!entries || found === undefined || compare(found, entry) !== 0) return
    entries.splice(index, 1)
    if (entries.length === 0) blocks.splice(block, 1)
    size--
  }

  const aboveLow =
    ({ prefix, inclusive }: Bound) =>
    (entry: Entry) =>
      comparePrefix(entry, prefix) >= (inclusive ? 0 : 1)
  const aboveHigh =
    ({ prefix, inclusive }: Bound) =>
    (entry: Entry) =>
      comparePrefix(entry, prefix) >= (inclusive ? 1 : 0)

  function* scan({ low, high }: Range, backwards = false): Generator<Entry> {
    const [reachedLow, passedHigh] = [aboveLow(low), aboveHigh(high)]
    if (backwards) {
      let [block, index] = locate(passedHigh)
      for (; block >= 0; block--, index = blocks[block]?.length ?? 0) {
        for (let i = index - 1; i >= 0; i--) {
          const entry = blocks[block]![i]!
          if (!reachedLow(entry)) return
          yield entry
        }
      }
    } else {
      let [block, index] = locate(reachedLow)
      for (; block < blocks.length; block++, index = 0) {
        for (let i = index; i < blocks[block]!.length; i++) {
          const entry = blocks[block]![i]!
          if (passedHigh(entry)) return
          yield entry
        }
      }
    }
  }

  return {
    get size() {
      return size
    },
    insert,
    remove,
    scan,
  }
}
