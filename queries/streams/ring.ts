/** The newest entries of the log, within bounds. Readers keep nothing but their position in it. */
import type { Entry } from './cloud-event.ts'

export type RingBounds = { entries: number; characters: number }

export type Ring = {
  /** Position of the newest entry. */
  head(): bigint
  push(entry: Entry): void
  /** At most `limit` entries after the position, in order; undefined when some of those have been dropped. */
  after(position: bigint, limit: number): readonly Entry[] | undefined
  size(): { entries: number; characters: number }
}

/** `start`: everything after it will be pushed. */
export function createRing(start: bigint, bounds: RingBounds): Ring {
  const slots: (Entry | undefined)[] = new Array(bounds.entries)
  let first = 0
  let count = 0
  let characters = 0
  /** Everything after it is held. */
  let floor = start
  let head = start

  const at = (index: number) => slots[(first + index) % bounds.entries]!

  const drop = () => {
    const oldest = at(0)
    slots[first] = undefined
    first = (first + 1) % bounds.entries
    count -= 1
    characters -= oldest.json.length
    floor = oldest.position
  }

  /** Index of the first entry after the position. */
  const indexAfter = (position: bigint) => {
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (at(middle).position > position) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    head: () => head,
    push(entry) {
      if (count === bounds.entries) drop()
      slots[(first + count) % bounds.entries] = entry
      count += 1
      characters += entry.json.length
      head = entry.position
      while (characters > bounds.characters && count > 1) drop()
    },
    after(position, limit) {
      if (position < floor) return undefined
      const from = indexAfter(position)
      return Array.from({ length: Math.min(limit, count - from) }, (_, offset) => at(from + offset))
    },
    size: () => ({ entries: count, characters }),
  }
}
