/** What waits, the earliest turn first, and among equal turns the one that came first. */
export type Queue<Item> = {
  readonly size: number
  push(item: Item, turn: number): void
  shift(): Item | undefined
}

type Entry<Item> = { item: Item; turn: number; number: number }

/** A binary heap. */
export function createQueue<Item>(): Queue<Item> {
  const heap: Entry<Item>[] = []
  let pushed = 0

  const isBefore = (a: number, b: number) => {
    const [one, other] = [heap[a]!, heap[b]!]
    return one.turn < other.turn || (one.turn === other.turn && one.number < other.number)
  }
  const swap = (a: number, b: number) => {
    const one = heap[a]!
    heap[a] = heap[b]!
    heap[b] = one
  }
  const rise = (index: number) => {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!isBefore(at, parent)) return
      swap(at, parent)
      at = parent
    }
  }
  const sink = () => {
    for (let at = 0; ; ) {
      let first = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isBefore(child, first)) first = child
      if (first === at) return
      swap(at, first)
      at = first
    }
  }

  return {
    get size() {
      return heap.length
    },
    push(item, turn) {
      heap.push({ item, turn, number: pushed++ })
      rise(heap.length - 1)
    },
    shift() {
      const [first] = heap
      const last = heap.pop()
      if (first !== last && last !== undefined) {
        heap[0] = last
        sink()
      }
      return first?.item
    },
  }
}
