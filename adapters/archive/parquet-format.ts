import { compress, decompress, init } from '@bokuweb/zstd-wasm'
import { parquetReadObjects } from 'hyparquet'
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'
import type { Held } from '../../domain/audit/canonical-event.ts'
import { type EventIdentity, type SegmentFormat, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import type { EventMetadata, RecordedEvent } from '../../domain/ports/event-log.ts'
import { readParquetRows } from './parquet-rows.ts'

type Column = {
  readonly name: string
  readonly type: 'INT64' | 'INT32' | 'STRING' | 'TIMESTAMP'
  /** Undefined where an event has no such thing. */
  readonly of: (row: SegmentRow) => unknown
  readonly isOptional?: boolean
  /** Whether a reader can pass over row groups, or look values up, by it. */
  readonly isSearched?: boolean
}

const ROW_GROUP = 10_000
/** Level 1 takes half the time of the default and a tenth more space. */
const LEVEL = 1

/** A field of the data, as most events have it. */
const idIn = (field: string) => ({ name: snake(field), type: 'STRING', of: ({ event }: SegmentRow) => textIn(event.data, field) }) as const
const said = (field: keyof EventMetadata) =>
  ({ name: snake(field), type: 'STRING', of: ({ event }: SegmentRow) => textIn(event.metadata, field), isOptional: true }) as const

/**
 * The columns of a segment, in their order; docs/archive.md explains them. What is in `data` and `metadata` is what counts; the columns beside them repeat
 * what most questions are about.
 */
const COLUMNS: readonly Column[] = [
  { name: 'leaf_index', type: 'INT64', of: ({ leafIndex }) => BigInt(leafIndex), isSearched: true },
  { name: 'position', type: 'INT64', of: ({ event }) => event.position, isSearched: true },
  { name: 'stream', type: 'STRING', of: ({ identity }) => identity.stream },
  { name: 'revision', type: 'INT64', of: ({ identity }) => identity.revision },
  { name: 'id', type: 'STRING', of: ({ identity }) => identity.id },
  { name: 'type', type: 'STRING', of: ({ identity }) => identity.type, isSearched: true },
  { name: 'recorded_at', type: 'TIMESTAMP', of: ({ event }) => new Date(event.recordedAt), isSearched: true },
  { name: 'occurred_at', type: 'TIMESTAMP', of: ({ event }) => timeIn(event.metadata), isOptional: true, isSearched: true },
  { ...said('tenant'), isSearched: true },
  { ...idIn('walletId'), isOptional: true },
  { ...idIn('keyId'), isOptional: true },
  { ...idIn('sessionId'), isOptional: true },
  { ...idIn('accountId'), isOptional: true },
  { ...idIn('transferId'), isOptional: true },
  { ...idIn('partyId'), isOptional: true },
  said('actor'),
  said('commandId'),
  said('correlationId'),
  said('causationId'),
  { name: 'schema_version', type: 'INT32', of: ({ event }) => wholeIn(event.metadata, 'schemaVersion'), isOptional: true },
  { name: 'data', type: 'STRING', of: ({ data }) => jsonIn(data), isOptional: true },
  { name: 'metadata', type: 'STRING', of: ({ metadata }) => jsonIn(metadata), isOptional: true },
  { name: 'data_base64', type: 'STRING', of: ({ data }) => base64In(data), isOptional: true },
  { name: 'metadata_base64', type: 'STRING', of: ({ metadata }) => base64In(metadata), isOptional: true },
]

/** What an event is made of again; `wallet_id` tells what it is about. */
const OF_EVENTS = [
  'leaf_index',
  'position',
  'stream',
  'revision',
  'id',
  'type',
  'recorded_at',
  'wallet_id',
  'data',
  'metadata',
  'data_base64',
  'metadata_base64',
]

const COMPRESSORS = { ZSTD: (packed: Uint8Array) => decompress(packed) }

/** The WebAssembly of zstd is loaded once: loaded again, it forgets what it has at work. */
let loaded: Promise<void> | undefined

/** Segments in Parquet, compressed with zstd. */
export async function parquetFormat(): Promise<SegmentFormat> {
  loaded ??= init()
  await loaded
  return {
    extension: '.parquet',

    writer() {
      const bytes = new ByteWriter()
      const file = new ParquetWriter({
        writer: bytes,
        schema: schemaFromColumnData({ columnData: columnsOf([]) }),
        codec: 'ZSTD',
        compressors: { ZSTD: (plain) => compress(plain, LEVEL) },
      })
      return {
        add(rows) {
          for (let at = 0; at < rows.length; at += ROW_GROUP)
            file.write({ columnData: columnsOf(rows.slice(at, at + ROW_GROUP)), rowGroupSize: ROW_GROUP })
        },
        finish() {
          file.finish()
          return new Uint8Array(bytes.getBuffer())
        },
      }
    },

    read: (content) => readable(async () => (await parquetReadObjects({ file: bufferOf(content), compressors: COMPRESSORS })).map(rowIn)),

    readRows: (content, wanted) =>
      readable(async () => {
        const rows = await readParquetRows(bufferOf(content), { wanted, columns: OF_EVENTS, compressors: COMPRESSORS })
        if (rows.length < wanted.length) throw new SegmentUnreadable('it has fewer rows than its index')
        return rows.map(rowIn)
      }),
  }
}

/** Without a copy where the content has a buffer of its own. */
const bufferOf = (content: Uint8Array): ArrayBuffer =>
  content.buffer instanceof ArrayBuffer && content.byteLength === content.buffer.byteLength ? content.buffer : content.slice().buffer

async function readable<T>(reading: () => Promise<T>): Promise<T> {
  try {
    return await reading()
  } catch (error) {
    throw error instanceof SegmentUnreadable ? error : new SegmentUnreadable('the file is no segment, or was damaged', { cause: error })
  }
}

const columnsOf = (rows: readonly SegmentRow[]) =>
  COLUMNS.map(({ name, type, of, isOptional = false, isSearched = false }) => ({
    name,
    type,
    nullable: isOptional,
    statistics: isSearched,
    data: rows.map(of),
  }))

const jsonIn = (held: Held) => ('json' in held ? held.json : undefined)
const base64In = (held: Held) => ('base64' in held ? held.base64 : undefined)

/** A field, if it is text. Nobody knows what others write to the store. */
function textIn(value: unknown, name: string): string | undefined {
  const found = fieldIn(value, name)
  return typeof found === 'string' ? found : undefined
}

function wholeIn(value: unknown, name: string): number | undefined {
  const found = fieldIn(value, name)
  return Number.isInteger(found) && Math.abs(found as number) < 2 ** 31 ? (found as number) : undefined
}

function timeIn(metadata: unknown): Date | undefined {
  const time = Date.parse(textIn(metadata, 'occurredAt') ?? '')
  return Number.isNaN(time) ? undefined : new Date(time)
}

const fieldIn = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined

/** A row as the reader gives it, which need not be one that was written here. */
function rowIn(row: { readonly [column: string]: unknown }): SegmentRow {
  const data = heldOf(row.data, row.data_base64)
  const metadata = heldOf(row.metadata, row.metadata_base64)
  const { leaf_index, position, recorded_at } = row
  const identity = identityIn(row)
  return {
    leafIndex: Number(leaf_index),
    identity,
    walletId: typeof row.wallet_id === 'string' ? row.wallet_id : undefined,
    data,
    metadata,
    /** Read when it is asked for: whoever verifies needs the text alone. */
    get event(): RecordedEvent {
      return {
        ...identity,
        position: position as bigint,
        recordedAt: (recorded_at as Date).toISOString(),
        data: heldValue(data) as object,
        metadata: heldValue(metadata) as EventMetadata,
      }
    },
  }
}

function identityIn({ stream, revision, id, type }: { readonly [column: string]: unknown }): EventIdentity {
  if (typeof stream !== 'string' || typeof revision !== 'bigint' || typeof id !== 'string' || typeof type !== 'string')
    throw new SegmentUnreadable('an event has no name')
  return { stream, revision, id, type }
}

function heldOf(json: unknown, base64: unknown): Held {
  if (typeof json === 'string') return { json }
  if (typeof base64 === 'string') return { base64 }
  throw new SegmentUnreadable('an event holds nothing')
}

const heldValue = (held: Held): unknown => ('json' in held ? JSON.parse(held.json) : Buffer.from(held.base64, 'base64'))

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
