import type { Held } from '../audit/canonical-event.ts'
import type { RecordedEvent } from './event-log.ts'

/** Where the archive is kept: a folder, or a bucket. Names are paths with slashes. Each @throws Unavailable, ArchiveRefused */
export interface ArchiveStore {
  /** For people. */
  readonly place: string
  /**
   * Stores an object, whole or not at all, unless there is one of the name already; once it returns the object survives a power failure.
   * @returns whether it is this one that is there now
   */
  put(name: string, content: Uint8Array): Promise<boolean>
  /** Undefined when there is none; of a range of bytes what there is of it. @throws NotRetrieved */
  get(name: string, range?: ByteRange): Promise<Uint8Array | undefined>
  /** In the order of their names. */
  list(prefix: string): AsyncIterable<StoredObject>
  /** Moves an object to the tier; one that is there already stays. */
  moveTo(tier: Tier, name: string): Promise<void>
  /** Asks for an object of the cold tier to be made readable for some days. */
  retrieve(name: string, days: number): Promise<void>
  /**
   * Removes the objects whose names begin so, apart from those that are excepted, and what of such an object was begun and not finished. What it may not
   * remove it leaves.
   */
  discard(prefix: string, except: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** From the first byte to the one before the end. */
export type ByteRange = { readonly start: number; readonly end: number }

/** `warm` can be read at once, `cold` once it was asked for. */
export type Tier = 'warm' | 'cold'

export type Retrieval = 'none' | 'requested' | 'readable'

export type StoredObject = { readonly name: string; readonly bytes: number; readonly tier: Tier; readonly retrieval: Retrieval }

/** The object is in the cold tier: it must be asked for, and waited for, before it can be read. */
export class NotRetrieved extends Error {
  override readonly name = 'NotRetrieved'
  readonly code = 'not_retrieved'
  constructor(readonly object: string) {
    super(`${object} is in the cold tier: ask for it with "npm run archive -- --retrieve", and wait until it is readable`)
  }
}

/** The bucket answers, and does not do it: credentials, a policy, or a setting that it does not know. Trying again does not help. */
export class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused'
  readonly code = 'archive_refused'
  constructor(why: string, options?: ErrorOptions) {
    super(`the bucket of the archive refuses: ${why}`, options)
  }
}

export type EventIdentity = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type'>

/** An event in a segment; of the same text as `data` and `metadata` the leaf is made. */
export type SegmentRow = {
  readonly leafIndex: number
  readonly identity: EventIdentity
  /** That its data name. */
  readonly walletId: string | undefined
  readonly data: Held
  readonly metadata: Held
  readonly event: RecordedEvent
}

/** What of a row is in the tree and in the segment's index; data and metadata as the file has them, in UTF-8. */
export type LeafRow = Pick<SegmentRow, 'identity' | 'walletId'> & { readonly data: Held<Uint8Array>; readonly metadata: Held<Uint8Array> }

/** A row to be written. */
export type WrittenRow = LeafRow & Pick<SegmentRow, 'leafIndex' | 'event'>

/** Segments as files of a format that data teams can read. They are read in groups of rows, some thousands at a time, of which one is in memory. */
export interface SegmentFormat {
  /** Ends of file names. */
  readonly extension: string
  writer(): SegmentWriter
  /** In the order of the file. @throws SegmentUnreadable */
  read(content: Uint8Array): AsyncIterable<readonly SegmentRow[]>
  /** The same without what only repeats it. @throws SegmentUnreadable */
  readLeaves(content: Uint8Array): AsyncIterable<readonly LeafRow[]>
  /** Some rows alone, by their numbers in rising order, of each group that has any. @throws SegmentUnreadable, and as reading the file does */
  readRows(file: SegmentFile, numbers: readonly number[]): AsyncIterable<readonly SegmentRow[]>
}

/** A file of which parts are read. */
export type SegmentFile = { readonly bytes: number; read(range: ByteRange): Promise<Uint8Array> }

export interface SegmentWriter {
  /** The next row. Nothing of it is kept. */
  add(row: WrittenRow): void
  /** Whether so many have been added that they are to be written. */
  isFull(): boolean
  /** Writes a group of rows. Resolves once there is room for the next one. */
  write(): Promise<void>
  /** Of the file, but for the last group or two. */
  bytes(): number
  finish(): Promise<Uint8Array>
}

/** The file is no segment, or was damaged. */
export class SegmentUnreadable extends Error {
  override readonly name = 'SegmentUnreadable'
}
