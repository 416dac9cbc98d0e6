/** Stands for a document in its collection: rises in the order of insertion, and stays the same when the document is replaced. */
export type RecordId = number

export type Records = {
  readonly size: number
  /** What is kept of memory, in use or not. */
  readonly allocatedBytes: number
  insert(document: Uint8Array): RecordId
  replace(id: RecordId, document: Uint8Array): void
  remove(id: RecordId): void
  /** In the order of insertion. */
  ids(): Iterable<RecordId>
  /** Length of the document in bytes. */
  lengthOf(id: RecordId): number
  /** Hands the document's place to `use`, without a view being made. */
  at<Result>(id: RecordId, use: (bytes: Buffer, from: number, to: number) => Result): Result
  /** The documents as they are now, whatever becomes of the records; made one by one, as they are taken. */
  snapshot(ids: readonly RecordId[]): Iterable<Buffer>
  clear(): void
}

const FIRST_SLAB_BYTES = 4 * 1_024
const SLAB_BYTES = 1_024 * 1_024

/** A record in a slab: its id, then the document, which begins with its own length. */
const ID_BYTES = 8

/** An address is `slab * SLAB_SPAN + offset`, plus one, so that zero can say that there is nothing. */
const SLAB_SPAN = 2 ** 25

/** Addresses are kept in pages, so that those of documents long gone take no room. */
const PAGE = 1_024

type Slab = { bytes: Buffer; used: number; live: number }
type Page = { addresses: Float64Array; live: number }

/**
 * Documents as the bytes they are, one after another in slabs outside the JavaScript heap. What was written is never written over: a slab
 * of which less than half is still needed is copied together and then left to the garbage collector, so that readers who hold it
 * see no change.
 */
export function createRecords(): Records {
  /** A new array whenever a slab comes or goes. */
  let slabs: readonly (Slab | undefined)[] = []
  const pages = new Map<number, Page>()
  let current = -1
  /** Slabs that may have become mostly garbage. */
  const suspects: number[] = []
  let nextId = 0
  let size = 0

  function setSlab(place: number, slab: Slab | undefined): void {
    const changed = [...slabs]
    changed[place] = slab
    slabs = changed
  }

  function openSlab(bytes: number): void {
    const usual = Math.min(SLAB_BYTES, (slabs[current]?.bytes.length ?? FIRST_SLAB_BYTES / 2) * 2)
    const free = slabs.indexOf(undefined)
    if (current >= 0) suspects.push(current)
    current = free < 0 ? slabs.length : free
    setSlab(current, { bytes: Buffer.allocUnsafeSlow(Math.max(usual, bytes)), used: 0, live: 0 })
  }

  /** Puts the record at the end of the current slab. */
  function append(id: RecordId, document: Uint8Array): number {
    const bytes = ID_BYTES + document.length
    if (current < 0 || slabs[current]!.used + bytes > slabs[current]!.bytes.length) openSlab(bytes)
    const slab = slabs[current]!
    const offset = slab.used
    slab.bytes.writeDoubleLE(id, offset)
    slab.bytes.set(document, offset + ID_BYTES)
    slab.used += bytes
    slab.live += bytes
    return current * SLAB_SPAN + offset + 1
  }

  function addressOf(id: RecordId): number {
    return pages.get(Math.floor(id / PAGE))?.addresses[id % PAGE] ?? 0
  }

  /** The next address of a record, undefined for none; what was at the one before is garbage. */
  function move(id: RecordId, address: number | undefined): void {
    const number = Math.floor(id / PAGE)
    const page = pages.get(number) ?? { addresses: new Float64Array(PAGE), live: 0 }
    if (page.live === 0) pages.set(number, page)
    const before = page.addresses[id % PAGE]!
    page.addresses[id % PAGE] = address ?? 0
    page.live += (address === undefined ? 0 : 1) - (before === 0 ? 0 : 1)
    if (page.live === 0) pages.delete(number)
    if (before === 0) return
    const place = Math.floor((before - 1) / SLAB_SPAN)
    const slab = slabs[place]!
    slab.live -= ID_BYTES + slab.bytes.readInt32LE(((before - 1) % SLAB_SPAN) + ID_BYTES)
    suspects.push(place)
  }

  /** Moves what is still needed out of a slab, which empties it. */
  function evacuate(place: number): void {
    const { bytes, used } = slabs[place]!
    for (let offset = 0; offset < used; ) {
      const id = bytes.readDoubleLE(offset)
      const from = offset + ID_BYTES
      const to = from + bytes.readInt32LE(from)
      if (addressOf(id) === place * SLAB_SPAN + offset + 1) move(id, append(id, bytes.subarray(from, to)))
      offset = to
    }
  }

  /** Gives up slabs that are mostly garbage; never the one that is being filled. */
  function tidy(): void {
    for (let place = suspects.pop(); place !== undefined; place = suspects.pop()) {
      const slab = slabs[place]
      if (!slab || place === current || slab.live * 2 > slab.used) continue
      if (slab.live > 0) evacuate(place)
      setSlab(place, undefined)
    }
  }

  function locate<Result>(
    from: readonly (Slab | undefined)[],
    address: number,
    use: (bytes: Buffer, from: number, to: number) => Result,
  ): Result {
    const { bytes } = from[Math.floor((address - 1) / SLAB_SPAN)]!
    const start = ((address - 1) % SLAB_SPAN) + ID_BYTES
    return use(bytes, start, start + bytes.readInt32LE(start))
  }

  const view = (bytes: Buffer, from: number, to: number): Buffer => bytes.subarray(from, to)

  function* viewAll(from: readonly (Slab | undefined)[], addresses: readonly number[]): Generator<Buffer> {
    for (const address of addresses) yield locate(from, address, view)
  }

  return {
    get size() {
      return size
    },
    get allocatedBytes() {
      return slabs.reduce((sum, slab) => sum + (slab?.bytes.length ?? 0), 0)
    },
    insert(document) {
      const id = nextId++
      move(id, append(id, document))
      size++
      tidy()
      return id
    },
    replace(id, document) {
      move(id, append(id, document))
      tidy()
    },
    remove(id) {
      move(id, undefined)
      size--
      tidy()
    },
    *ids() {
      for (const [number, { addresses }] of pages) for (let i = 0; i < PAGE; i++) if (addresses[i] !== 0) yield number * PAGE + i
    },
    lengthOf: (id) => locate(slabs, addressOf(id), (_, from, to) => to - from),
    at: (id, use) => locate(slabs, addressOf(id), use),
    snapshot: (ids) => viewAll(slabs, ids.map(addressOf)),
    clear() {
      slabs = []
      pages.clear()
      current = -1
      size = 0
    },
  }
}
