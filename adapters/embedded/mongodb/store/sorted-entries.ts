import type { SortKey } from '../query/sort-key.ts'
import type { RecordId } from './records.ts'

/** Keys from `low` on and before `high`. */
export type Range = { low: SortKey; high: SortKey }

/** Records by key, and within the same key by their order of insertion. */
export type SortedEntries = {
  readonly size: number
  insert(key: SortKey, id: RecordId): void
  /** Nothing happens when there is no such entry. */
  remove(key: SortKey, id: RecordId): void
  /** In order, or backwards. The entries must not change while the scan goes on. */
  scan(range: Range, backwards?: boolean): Generator<RecordId>
}

const BLOCK_SIZE = 512

/** The keys and records of a block are in step, in two lists: an object for each entry would cost more than the entry. */
type Block = { keys: SortKey[]; ids: RecordId[] }

/** Entries kept in order, in blocks of bounded size, so that an insertion moves a few hundred references however many entries there are. */
export function createSortedEntries(): SortedEntries {
  const blocks: Block[] = []
  let size = 0

  /** The first block whose last entry is not before the key and record; their number when there is none. */
  function findBlock(key: SortKey, id: RecordId): number {
    let [low, high] = [0, blocks.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const { keys, ids } = blocks[middle]!
      const last = keys.length - 1
      if (keys[last]! < key || (keys[last] === key && ids[last]! < id)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first entry of the block that is not before the key and record. */
  function findEntry({ keys, ids }: Block, key: SortKey, id: RecordId): number {
    let [low, high] = [0, keys.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (keys[middle]! < key || (keys[middle] === key && ids[middle]! < id)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** What comes in rising order fills its blocks; others are split in the middle. */
  function split(place: number, grownAtEnd: boolean): void {
    const { keys, ids } = blocks[place]!
    const from = grownAtEnd ? BLOCK_SIZE : BLOCK_SIZE >>> 1
    blocks.splice(place + 1, 0, { keys: keys.splice(from), ids: ids.splice(from) })
  }

  function insert(key: SortKey, id: RecordId): void {
    const place = Math.min(findBlock(key, id), blocks.length - 1)
    const block = blocks[place]
    size++
    if (!block) {
      blocks.push({ keys: [key], ids: [id] })
      return
    }
    const index = findEntry(block, key, id)
    block.keys.splice(index, 0, key)
    block.ids.splice(index, 0, id)
    if (block.keys.length > BLOCK_SIZE) split(place, place === blocks.length - 1 && index === BLOCK_SIZE)
  }

  function remove(key: SortKey, id: RecordId): void {
    const place = findBlock(key, id)
    const block = blocks[place]
    if (!block) return
    const index = findEntry(block, key, id)
    if (block.keys[index] !== key || block.ids[index] !== id) return
    block.keys.splice(index, 1)
    block.ids.splice(index, 1)
    if (block.keys.length === 0) blocks.splice(place, 1)
    size--
  }

  function* forwards({ low, high }: Range): Generator<RecordId> {
    let place = findBlock(low, -1)
    let index = place < blocks.length ? findEntry(blocks[place]!, low, -1) : 0
    for (; place < blocks.length; place++, index = 0) {
      const { keys, ids } = blocks[place]!
      for (; index < keys.length; index++) {
        if (keys[index]! >= high) return
        yield ids[index]!
      }
    }
  }

  function* backwards({ low, high }: Range): Generator<RecordId> {
    let place = findBlock(high, -1)
    let index = place < blocks.length ? findEntry(blocks[place]!, high, -1) : 0
    for (; place >= 0; place--, index = blocks[place]?.keys.length ?? 0) {
      for (let i = index - 1; i >= 0; i--) {
        const { keys, ids } = blocks[place]!
        if (keys[i]! < low) return
        yield ids[i]!
      }
    }
  }

  return {
    get size() {
      return size
    },
    insert,
    remove,
    scan: (range, backward = false) => (backward ? backwards(range) : forwards(range)),
  }
}
