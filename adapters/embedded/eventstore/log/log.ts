import { type BoundedMap, createBoundedMap } from './bounded-map.ts'
import type { Database } from './database.ts'
import { commitDigest, type DigestedRecord, GENESIS } from './digest.ts'
import { type Appended, type Direction, NO_STREAM, type ProposedEvent, type RecordedEvent, TOMBSTONE } from './event.ts'
import { decodeRecord, encodeRecords } from './record-codec.ts'

/** What a commit changed. */
export type Commit = { streams: ReadonlySet<string>; head: number }

/** Some events in the order of the read; `next` is where the following page begins, absent when there is none. `used` rows with `bytes` were read for it. */
export type Page = { events: RecordedEvent[]; next: number | undefined; used: number; bytes: number }

/** How much a page may hold: events, and rows (each of them is one append or a part of it). */
export type PageLimit = { events: number; rows: number }

export type Log = {
  /** Position of the last event, 0 when there is none. */
  head(): number
  /** NO_STREAM, TOMBSTONE, or the revision of the last event. */
  lastRevision(stream: string): number
  /** From `from` (inclusive) in either direction. */
  readStream(stream: string, from: number, direction: Direction, limit: PageLimit): Page
  /** From position `from` (inclusive) in either direction. */
  readAll(from: number, direction: Direction, limit: PageLimit): Page
  /** Where a recently appended event is, by its id. The last one when it was appended more than once. */
  revisionOf(stream: string, id: string): number | undefined
  /** Only within `transaction`. */
  append(stream: string, events: readonly ProposedEvent[], created: number): Appended
  /** Only within `transaction`. Ends the stream. */
  tombstone(stream: string, event: ProposedEvent, created: number): Appended
  /** Runs `work` and commits what it appended; when it throws, nothing of it was stored. */
  transaction<T>(work: () => T): { result: T; commit: Commit }
}

/** Where an id was appended last; one that is in two streams is remembered for the later one only, as in EventStoreDB. */
type Place = { stream: number; revision: number }

type StreamEntry = { id: number | undefined; last: number }
/** The driver hands blobs over as plain buffers. */
type RecordRow = { position: number; revision: number; count: number; created: number; payload: ArrayBuffer; name: string }

const CACHED_STREAMS = 20_000
const RECENT_IDS = 131_072
const RECENT_BYTES = 128 * 1024 * 1024

/** The log of all streams in a database that `openDatabase` opened. */
export function openLog(database: Database.Database): Log {
  const sql = prepareStatements(database)
  const last = sql.lastRecord.get([]) as { position: number; count: number; digest: ArrayBuffer } | undefined
  let head = last ? last.position + last.count - 1 : 0
  let digest: Uint8Array = last ? Buffer.from(last.digest) : GENESIS
  let entries: BoundedMap<string, StreamEntry>
  let recentIds: BoundedMap<string, Place>
  let pending: DigestedRecord[]

  /** Takes what is kept in memory from the store again. */
  function refresh(): void {
    pending = []
    entries = createBoundedMap(CACHED_STREAMS)
    recentIds = createBoundedMap(RECENT_IDS)
    for (const { id, ...place } of newestEvents().reverse()) recentIds.set(id, place)
  }

  /** Newest first, as many as are remembered, unless they are so large that finding them would take long. */
  function newestEvents(): (Place & { id: string })[] {
    const found: (Place & { id: string })[] = []
    let bytes = 0
    for (let next: number | undefined = head; next !== undefined && found.length < RECENT_IDS && bytes < RECENT_BYTES; ) {
      const read: Page = readAll(next, 'backwards', { events: RECENT_IDS - found.length, rows: 64 })
      for (const { id, stream, revision } of read.events) found.push({ id, stream: entryOf(stream).id!, revision })
      bytes += read.bytes
      next = read.next
    }
    return found
  }

  function entryOf(stream: string): StreamEntry {
    const cached = entries.get(stream)
    if (cached) return cached
    const found = sql.stream.get([stream]) as { id: number; last: number | null } | undefined
    const entry = { id: found?.id, last: found?.last ?? NO_STREAM }
    entries.set(stream, entry)
    return entry
  }

  function writableEntry(stream: string): StreamEntry & { id: number } {
    const entry = entryOf(stream)
    entry.id ??= Number(sql.addStream.run([stream]).lastInsertRowid)
    return entry as StreamEntry & { id: number }
  }

  function insert(stream: string, id: number, revision: number, count: number, created: number, payload: Buffer): void {
    const position = head + 1
    sql.addRecord.run([position, id, revision, count, created, payload])
    pending.push({ position, stream, revision, count, created, payload })
    head += count
  }

  function append(stream: string, events: readonly ProposedEvent[], created: number): Appended {
    const entry = writableEntry(stream)
    for (const { count, payload } of encodeRecords(events)) {
      insert(stream, entry.id, entry.last + 1, count, created, payload)
      entry.last += count
    }
    const first = entry.last - events.length + 1
    events.forEach(({ id }, index) => {
      recentIds.set(id, { stream: entry.id, revision: first + index })
    })
    return { revision: entry.last, position: head }
  }

  function tombstone(stream: string, event: ProposedEvent, created: number): Appended {
    const entry = writableEntry(stream)
    const [record] = encodeRecords([event])
    insert(stream, entry.id, TOMBSTONE, 1, created, record!.payload)
    entry.last = TOMBSTONE
    return { revision: TOMBSTONE, position: head }
  }

  function transaction<T>(work: () => T): { result: T; commit: Commit } {
    const before = { head, digest }
    try {
      sql.begin.run([])
      const result = work()
      if (head > before.head) {
        digest = commitDigest(digest, pending)
        sql.addDigest.run([digest, pending.at(-1)!.position])
      }
      sql.commit.run([])
      const streams = new Set(pending.map(({ stream }) => stream))
      pending = []
      return { result, commit: { streams, head } }
    } catch (error) {
      head = before.head
      digest = before.digest
      if (database.inTransaction) sql.rollback.run([])
      refresh()
      throw error
    }
  }

  function readStream(stream: string, from: number, direction: Direction, limit: PageLimit): Page {
    const { id } = entryOf(stream)
    if (id === undefined) return { events: [], next: undefined, used: 0, bytes: 0 }
    const rows =
      direction === 'forwards' ? sql.streamForwards.all([id, id, from, limit.rows]) : sql.streamBackwards.all([id, from, limit.rows])
    return page(rows as RecordRow[], 'revision', from, direction, limit)
  }

  function readAll(from: number, direction: Direction, limit: PageLimit): Page {
    const rows = direction === 'forwards' ? sql.allForwards.all([from, limit.rows]) : sql.allBackwards.all([from, limit.rows])
    return page(rows as RecordRow[], 'position', from, direction, limit)
  }

  refresh()
  return {
    head: () => head,
    lastRevision: (stream) => entryOf(stream).last,
    readStream,
    readAll,
    revisionOf(stream, id) {
      const place = recentIds.get(id)
      return place !== undefined && place.stream === entryOf(stream).id ? place.revision : undefined
    },
    append,
    tombstone,
    transaction,
  }
}

/** The events of some rows in the order of the read, beginning at `from`, which is a revision or a position. */
function page(rows: RecordRow[], key: 'revision' | 'position', from: number, direction: Direction, limit: PageLimit): Page {
  const events: RecordedEvent[] = []
  let used = 0
  let bytes = 0
  for (const row of rows) {
    const wanted = limit.events - events.length
    if (wanted === 0) break
    used += 1
    bytes += row.payload.byteLength
    const reached = from - row[key]
    if (direction === 'forwards') {
      events.push(...eventsOf(row, Math.max(0, reached), wanted))
    } else {
      const end = Math.min(row.count, reached + 1)
      const skip = Math.max(0, end - wanted)
      events.push(...eventsOf(row, skip, end - skip).reverse())
    }
  }
  const last = events.at(-1)
  const exhausted = rows.length < limit.rows && events.length < limit.events
  return { events, next: last && !exhausted ? last[key] + (direction === 'forwards' ? 1 : -1) : undefined, used, bytes }
}

function eventsOf(row: RecordRow, skip: number, take: number): RecordedEvent[] {
  const events = decodeRecord(Buffer.from(row.payload), skip, take) as RecordedEvent[]
  for (const [index, event] of events.entries()) {
    event.stream = row.name
    event.revision = row.revision + skip + index
    event.position = row.position + skip + index
    event.created = row.created
  }
  return events
}

function prepareStatements(database: Database.Database) {
  const columns = 'r.position, r.revision, r.count, r.created, r.payload, s.name'
  const all = `select ${columns} from records r join streams s on s.id = r.stream`
  return {
    begin: database.prepare('begin immediate'),
    commit: database.prepare('commit'),
    rollback: database.prepare('rollback'),
    stream: database.prepare(`
      select s.id, (select r.revision + r.count - 1 from records r where r.stream = s.id order by r.revision desc limit 1) as last
      from streams s where s.name = ?`),
    addStream: database.prepare('insert into streams (name) values (?)'),
    addRecord: database.prepare('insert into records (position, stream, revision, count, created, payload) values (?, ?, ?, ?, ?, ?)'),
    addDigest: database.prepare('update records set digest = ? where position = ?'),
    lastRecord: database.prepare('select position, count, digest from records order by position desc limit 1'),
    // A read may begin within a record, so it begins at the last record that starts at or before `from`.
    streamForwards: database.prepare(`${all}
      where r.stream = ? and r.revision >= coalesce((select max(revision) from records where stream = ? and revision <= ?), 0)
      order by r.revision limit ?`),
    streamBackwards: database.prepare(`${all} where r.stream = ? and r.revision <= ? order by r.revision desc limit ?`),
    allForwards: database.prepare(`${all}
      where r.position >= coalesce((select max(position) from records where position <= ?), 0)
      order by r.position limit ?`),
    allBackwards: database.prepare(`${all} where r.position <= ? order by r.position desc limit ?`),
  }
}
