import { type Held, textOf } from '../../domain/audit/canonical-event.ts'
import {
  type LeafRow,
  type SegmentFormat,
  type SegmentRow,
  SegmentUnreadable,
  type SegmentWriter,
  type WrittenRow,
} from '../../domain/ports/archive.ts'
import type { EventMetadata, RecordedEvent } from '../../domain/ports/event-log.ts'
import { type ColumnPacker, type Packed, packNumbers, packRepeated, packTexts } from './packed-columns.ts'
import { readGroups } from './parquet-columns.ts'
import type { ColumnShape } from './parquet-file.ts'
import { FileUnread, type Rows, readNumbered } from './parquet-rows.ts'
import { parquetFileOnThread, type ThreadedFile } from './parquet-thread.ts'
import { loadZstd } from './zstd.ts'

/** `of` gives undefined where an event has no such thing. A dictionary of what is unique would be of no use. */
type Values =
  | { readonly type: 'INT64' | 'TIMESTAMP'; readonly of: (row: WrittenRow) => bigint | undefined; readonly isUnique?: boolean }
  | { readonly type: 'STRING'; readonly of: (row: WrittenRow) => Uint8Array | string | undefined; readonly isUnique: true }
  | { readonly type: 'STRING'; readonly of: (row: WrittenRow) => string | undefined; readonly isUnique?: false }
  | { readonly type: 'INT32'; readonly of: (row: WrittenRow) => number | undefined; readonly isUnique?: false }

type Column = Values & {
  readonly name: string
  readonly isOptional?: boolean
  /** Whether a reader can pass over row groups, or look values up, by it. */
  readonly isSearched?: boolean
}

/** A group of rows ends with so many, or with so many characters: whoever writes or reads holds one or two of them. */
const GROUP_ROWS = 5_000
const GROUP_CHARACTERS = 16 * 2 ** 20

/** A field of the data, as most events have it. */
const idIn = (field: string) => ({ name: snake(field), type: 'STRING', of: ({ event }: WrittenRow) => textIn(event.data, field) }) as const
const said = (field: keyof EventMetadata) =>
  ({ name: snake(field), type: 'STRING', of: ({ event }: WrittenRow) => textIn(event.metadata, field), isOptional: true }) as const

/**
 * The columns of a segment, in their order; docs/archive.md explains them. What is in `data` and `metadata` is what counts; the columns beside them repeat
 * what most questions are about.
 */
const COLUMNS: readonly Column[] = [
  { name: 'leaf_index', type: 'INT64', of: ({ leafIndex }) => BigInt(leafIndex), isSearched: true, isUnique: true },
  { name: 'position', type: 'INT64', of: ({ event }) => event.position, isSearched: true, isUnique: true },
  { name: 'stream', type: 'STRING', of: ({ identity }) => identity.stream },
  { name: 'revision', type: 'INT64', of: ({ identity }) => identity.revision },
  { name: 'id', type: 'STRING', of: ({ identity }) => identity.id, isUnique: true },
  { name: 'type', type: 'STRING', of: ({ identity }) => identity.type, isSearched: true },
  { name: 'recorded_at', type: 'TIMESTAMP', of: ({ event }) => BigInt(Date.parse(event.recordedAt)), isSearched: true },
  { name: 'occurred_at', type: 'TIMESTAMP', of: ({ event }) => timeIn(event.metadata), isOptional: true, isSearched: true },
  { ...said('tenant'), isSearched: true },
  { name: 'wallet_id', type: 'STRING', of: ({ walletId }) => walletId, isOptional: true },
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
  { name: 'data', type: 'STRING', of: ({ data }) => jsonIn(data), isOptional: true, isUnique: true },
  { name: 'metadata', type: 'STRING', of: ({ metadata }) => jsonIn(metadata), isOptional: true, isUnique: true },
  { name: 'data_base64', type: 'STRING', of: ({ data }) => base64In(data), isOptional: true, isUnique: true },
  { name: 'metadata_base64', type: 'STRING', of: ({ metadata }) => base64In(metadata), isOptional: true, isUnique: true },
]

/** Segments in Parquet, compressed with zstd. */
export async function parquetFormat(): Promise<SegmentFormat> {
  await loadZstd()
  return {
    extension: '.parquet',

    writer: parquetWriter,

    read: (content) => readable(readGroups(content, ROW_COLUMNS), rowsIn),

    readLeaves: (content) => readable(readGroups(content, NAME_COLUMNS, HELD_COLUMNS), leavesIn),

    async *readRows(file, numbers) {
      let count = 0
      for await (const group of readable(readNumbered(file, ROW_COLUMNS, numbers), rowsIn)) {
        count += group.length
        yield group
      }
      if (count < numbers.length) throw new SegmentUnreadable('it has fewer rows than its index')
    },
  }
}

/** A thread of its own writes the file, but for one of a single group: there starting the thread would take longer. */
function parquetWriter(): SegmentWriter {
  let group = newGroup()
  let file: ThreadedFile | undefined
  let bytes = 0

  async function write(): Promise<void> {
    file ??= parquetFileOnThread(SHAPES)
    const columns = group.packed()
    group = newGroup(columns)
    bytes = await file.write(columns)
  }

  return {
    add: (row) => group.add(row),
    isFull: () => group.rows() >= GROUP_ROWS || group.characters() >= GROUP_CHARACTERS,
    write,
    bytes: () => bytes,
    async finish() {
      if (file && group.rows() > 0) await write()
      if (file) return file.finish()
      // Readers do without what writes.
      const { parquetFile } = await import('./parquet-file.ts')
      const small = await parquetFile(SHAPES)
      if (group.rows() > 0) small.write(group.packed())
      return small.finish()
    },
  }
}

const SHAPES: readonly ColumnShape[] = COLUMNS.map(({ name, type, isOptional = false, isSearched = false, isUnique = false }) => ({
  name,
  type,
  nullable: isOptional,
  statistics: isSearched,
  ...(isUnique && { encoding: 'PLAIN' }),
}))

/** Rows by their columns; the rows themselves are not kept. It is likely to be about as large as the one before. */
function newGroup(before: readonly Packed[] = []) {
  let [rows, characters] = [0, 0]
  const columns = COLUMNS.map((column, index) => gathering(column, before[index]))
  return {
    packed: () => columns.map(({ packer }) => packer.packed()),
    rows: () => rows,
    characters: () => characters,
    add(row: WrittenRow) {
      for (const { add } of columns) add(row)
      characters += textOf(row.data).length + textOf(row.metadata).length
      rows++
    },
  }
}

/** A column, and how a row is added to it. */
function gathering(column: Column, before: Packed | undefined): { readonly packer: { packed(): Packed }; add(row: WrittenRow): void } {
  if (column.type === 'STRING')
    return column.isUnique ? adding(packTexts(roomFor(before)), column.of) : adding(packRepeated<string>(), column.of)
  return column.type === 'INT32' ? adding(packRepeated<number>(), column.of) : adding(packNumbers(), column.of)
}

const roomFor = (before: Packed | undefined) => (before?.kind === 'texts' ? Math.ceil(1.1 * before.bytes.length) : undefined)

const adding = <Value>(packer: ColumnPacker<Value>, of: (row: WrittenRow) => Value | undefined) => ({
  packer,
  add: (row: WrittenRow) => packer.add(of(row)),
})

const jsonIn = <Text>(held: Held<Text>) => ('json' in held ? held.json : undefined)
const base64In = <Text>(held: Held<Text>) => ('base64' in held ? held.base64 : undefined)

/** A field, if it is text. Nobody knows what others write to the store. */
function textIn(value: unknown, name: string): string | undefined {
  const found = fieldIn(value, name)
  return typeof found === 'string' ? found : undefined
}

function wholeIn(value: unknown, name: string): number | undefined {
  const found = fieldIn(value, name)
  return Number.isInteger(found) && Math.abs(found as number) < 2 ** 31 ? (found as number) : undefined
}

function timeIn(metadata: unknown): bigint | undefined {
  const time = Date.parse(textIn(metadata, 'occurredAt') ?? '')
  return Number.isNaN(time) ? undefined : BigInt(time)
}

const fieldIn = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined

const NAME_COLUMNS = ['stream', 'revision', 'id', 'type', 'wallet_id']
const HELD_COLUMNS = ['data', 'metadata', 'data_base64', 'metadata_base64']
/** What an event is made of again. */
const ROW_COLUMNS = [...NAME_COLUMNS, ...HELD_COLUMNS, 'leaf_index', 'position', 'recorded_at']

/** @throws SegmentUnreadable, and what the file could not be read for */
async function* readable<Row>(groups: AsyncIterable<Rows>, rowsOf: (rows: Rows) => Row[]): AsyncGenerator<Row[]> {
  try {
    for await (const group of groups) yield rowsOf(group)
  } catch (error) {
    if (error instanceof FileUnread) throw error.cause
    throw error instanceof SegmentUnreadable ? error : new SegmentUnreadable('the file is no segment, or was damaged', { cause: error })
  }
}

function leavesIn({ columns, count }: Rows): LeafRow[] {
  return Array.from({ length: count }, (_, at) => ({
    ...namesIn(columns, at),
    data: heldIn(columns, 'data', at, isBytes),
    metadata: heldIn(columns, 'metadata', at, isBytes),
  }))
}

function rowsIn({ columns, count }: Rows): SegmentRow[] {
  return Array.from({ length: count }, (_, at) => {
    const { identity, walletId } = namesIn(columns, at)
    const [data, metadata] = [heldIn(columns, 'data', at, isText), heldIn(columns, 'metadata', at, isText)]
    const event: RecordedEvent = {
      ...identity,
      position: columns.position![at] as bigint,
      recordedAt: (columns.recorded_at![at] as Date).toISOString(),
      data: heldValue(data) as object,
      metadata: heldValue(metadata) as EventMetadata,
    }
    return { identity, walletId, data, metadata, leafIndex: Number(columns.leaf_index![at]), event }
  })
}

/** Columns as the reader gives them, which need not have been written here. */
function namesIn(columns: Rows['columns'], at: number): Pick<LeafRow, 'identity' | 'walletId'> {
  const { stream: streams, revision: revisions, id: ids, type: types, wallet_id: walletIds } = columns as Named
  const [stream, revision, id, type, walletId] = [streams[at], revisions[at], ids[at], types[at], walletIds[at]]
  if (!isText(stream) || typeof revision !== 'bigint' || !isText(id) || !isText(type)) throw new SegmentUnreadable('an event has no name')
  return { identity: { stream, revision, id, type }, walletId: isText(walletId) ? walletId : undefined }
}

type Named = { readonly [name in 'stream' | 'revision' | 'id' | 'type' | 'wallet_id']: ArrayLike<unknown> }

function heldIn<Text>(columns: Rows['columns'], name: 'data' | 'metadata', at: number, is: (value: unknown) => value is Text): Held<Text> {
  const json = columns[name]![at]
  if (is(json)) return { json }
  const base64 = columns[`${name}_base64`]![at]
  if (is(base64)) return { base64 }
  throw new SegmentUnreadable('an event holds nothing')
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

const heldValue = (held: Held): unknown => ('json' in held ? JSON.parse(held.json) : Buffer.from(held.base64, 'base64'))

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
