import { decompress } from '@bokuweb/zstd-wasm'
import type { AsyncBuffer, ColumnMetaData, FileMetaData, RowGroup, SchemaElement } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { parquetMetadataAsync } from 'hyparquet/src/metadata.js'
import { inOrder } from '../../domain/history/in-order.ts'
import type { ByteRange, SegmentFile } from '../../domain/ports/archive.ts'

/** What is in some columns of some rows. */
export type Rows = { readonly columns: { readonly [name: string]: ArrayLike<unknown> }; readonly count: number }

/** Groups of a file that are fetched at once. */
const GROUPS_AT_ONCE = 3
const LONG_BYTES = 8
/** Of a text, before it. */
const LENGTH_BYTES = 4

/** The file could not be read, which says nothing about what is in it. */
export class FileUnread extends Error {
  override readonly name = 'FileUnread'
  constructor(override readonly cause: unknown) {
    super('the file could not be read')
  }
}

/**
 * A few rows of a Parquet file by their numbers, which rise, of each group that has any. Of what is passed over no values are made, which takes several times as
 * long as unpacking it; so this reads the pages itself. It knows as much of the format as the writer uses: texts and 64-bit integers in data pages of version 2,
 * plain or by a dictionary (https://parquet.apache.org/docs/file-format/data-pages/encodings/).
 */
export async function* readNumbered(file: SegmentFile, names: readonly string[], numbers: readonly number[]): AsyncGenerator<Rows> {
  const metadata = await parquetMetadataAsync(inParts(file), { geoparquet: false })
  yield* inOrder(groupsOf(numbers, metadata), GROUPS_AT_ONCE, async ({ rows, group }) => {
    // Most of a group is in the columns that are wanted: one read is quicker than one for each of them.
    const begin = beginOf(group.columns[0]?.meta_data)
    const content = await readPart(file, { start: begin, end: begin + Number(group.total_compressed_size) })
    const columns = names.map((name) => {
      const { chunk, element } = columnOf(metadata, group, name)
      const at = beginOf(chunk) - begin
      return [name, valuesOf(content.subarray(at, at + Number(chunk.total_compressed_size)), element, rows)] as const
    })
    return { columns: Object.fromEntries(columns), count: rows.length }
  })
}

const inParts = (file: SegmentFile): AsyncBuffer => ({
  byteLength: file.bytes,
  slice: async (start, end = file.bytes) => new Uint8Array(await readPart(file, { start, end })).buffer,
})

async function readPart(file: SegmentFile, range: ByteRange): Promise<Buffer> {
  try {
    const { buffer, byteOffset, length } = await file.read(range)
    return Buffer.from(buffer, byteOffset, length)
  } catch (error) {
    throw new FileUnread(error)
  }
}

/** In each group where there are any, the numbers as they count in the group. */
function* groupsOf(numbers: readonly number[], { row_groups }: FileMetaData): Generator<{ rows: readonly number[]; group: RowGroup }> {
  let [next, start] = [0, 0]
  for (const group of row_groups) {
    const end = start + Number(group.num_rows)
    const rows: number[] = []
    while (next < numbers.length && numbers[next]! < end) rows.push(numbers[next++]! - start)
    if (rows.length > 0) yield { rows, group }
    start = end
  }
}

/** @throws Error when there is none */
function columnOf({ schema }: FileMetaData, { columns }: RowGroup, name: string): { chunk: ColumnMetaData; element: SchemaElement } {
  const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data
  const element = schema.find((each) => each.name === name)
  if (!chunk || !element) throw new Error(`there is no column ${name}`)
  return { chunk, element }
}

const beginOf = (chunk: ColumnMetaData | undefined) => Number(chunk?.dictionary_page_offset ?? chunk?.data_page_offset)

/** Of the rows, which rise; undefined where there is none. */
function valuesOf(content: Buffer, element: SchemaElement, rows: readonly number[]): readonly unknown[] {
  const reader = { view: viewOf(content), offset: 0 }
  const values: unknown[] = []
  let dictionary: ((place: number) => unknown) | undefined
  let first = 0
  while (values.length < rows.length) {
    const header = parquetHeader(reader)
    const page = content.subarray(reader.offset, reader.offset + header.compressed_page_size)
    reader.offset += header.compressed_page_size
    if (header.type === 'DICTIONARY_PAGE') {
      dictionary = anyPlace(Buffer.from(decompress(page)), element)
      continue
    }
    const data = header.data_page_header_v2
    if (!data) throw new Error(`pages of type ${header.type} are not read`)
    const end = first + data.num_rows
    const here: number[] = []
    for (let next = values.length; next < rows.length && rows[next]! < end; next++) here.push(rows[next]! - first)
    if (here.length > 0) values.push(...valuesOn(page, data, element, dictionary, here))
    first = end
  }
  return values
}

type DataPage = NonNullable<ReturnType<typeof parquetHeader>['data_page_header_v2']>

function valuesOn(
  page: Buffer,
  { num_rows, num_nulls, definition_levels_byte_length: levels, is_compressed, encoding }: DataPage,
  element: SchemaElement,
  dictionary: ((place: number) => unknown) | undefined,
  rows: readonly number[],
): readonly unknown[] {
  if (num_nulls === num_rows) return rows.map(() => undefined)
  const packed = page.subarray(levels)
  const content = is_compressed === false ? packed : Buffer.from(decompress(packed))
  const places = num_nulls === 0 ? rows : placesOf(rows, page.subarray(0, levels), num_rows)
  const valueAt = encoding === 'PLAIN' ? risingPlaces(content, element) : byDictionary(content, num_rows - num_nulls, dictionary)
  return places.map((place) => (place === undefined ? undefined : valueAt(place)))
}

/** Where the values of the rows are among those that are there. */
function placesOf(rows: readonly number[], levels: Buffer, count: number): readonly (number | undefined)[] {
  const isThere = new Uint8Array(count)
  readRleBitPackedHybrid({ view: viewOf(levels), offset: 0 }, 1, isThere, levels.length)
  let [row, place] = [0, 0]
  return rows.map((wanted) => {
    for (; row < wanted; row++) place += isThere[row]!
    return isThere[wanted] ? place : undefined
  })
}

function byDictionary(content: Buffer, count: number, dictionary: ((place: number) => unknown) | undefined): (place: number) => unknown {
  if (!dictionary) throw new Error('there is no dictionary')
  const places = new Uint32Array(count)
  const width = content[0]!
  if (width > 0) readRleBitPackedHybrid({ view: viewOf(content), offset: 1 }, width, places, content.length - 1)
  return (place) => dictionary(places[place]!)
}

/** Values are one after another, texts with their lengths before them. Of texts, those before one that was asked for are not there any more. */
function risingPlaces(content: Buffer, element: SchemaElement): (place: number) => unknown {
  if (element.type === 'INT64') return longsIn(content, element)
  if (element.type !== 'BYTE_ARRAY') throw new Error(`columns of type ${element.type} are not read`)
  let [next, at] = [0, 0]
  return (place) => {
    for (; next < place; next++) at += LENGTH_BYTES + content.readUInt32LE(at)
    return textAt(content, at)
  }
}

function anyPlace(content: Buffer, element: SchemaElement): (place: number) => unknown {
  if (element.type === 'INT64') return longsIn(content, element)
  const starts: number[] = []
  for (let at = 0; at < content.length; at += LENGTH_BYTES + content.readUInt32LE(at)) starts.push(at)
  return (place) => textAt(content, starts[place]!)
}

const textAt = (content: Buffer, at: number) => content.toString('utf8', at + LENGTH_BYTES, at + LENGTH_BYTES + content.readUInt32LE(at))

function longsIn(content: Buffer, { converted_type }: SchemaElement): (place: number) => unknown {
  const longAt = (place: number) => content.readBigInt64LE(LONG_BYTES * place)
  return converted_type === 'TIMESTAMP_MILLIS' ? (place) => new Date(Number(longAt(place))) : longAt
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)
