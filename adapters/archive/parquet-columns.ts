import { decompress } from '@bokuweb/zstd-wasm'
import { type AsyncBuffer, type ParquetScan, parquetScan, type RowGroup, readOffsetIndex } from 'hyparquet'
import { inOrder } from '../../domain/history/in-order.ts'
import type { SegmentFile } from '../../domain/ports/archive.ts'

/** Groups of a file that are fetched at once. */
const GROUPS_AT_ONCE = 3

/** The file could not be read, which says nothing about what is in it. */
export class FileUnread extends Error {
  override readonly name = 'FileUnread'
  constructor(override readonly cause: unknown) {
    super('the file could not be read')
  }
}

/** What is in some columns of some rows. */
export type Rows = { readonly columns: { readonly [name: string]: ArrayLike<unknown> }; readonly count: number }

/** Text stays what it is in the file until it is known whether anybody wants it: most of a page is not. */
const AS_BYTES = { stringFromBytes: (bytes: Uint8Array) => bytes }
const utf8 = new TextDecoder()

/** All rows of a Parquet file, group by group. */
export async function* readGroups(content: Uint8Array, names: string[]): AsyncGenerator<Rows> {
  const scan = await openScan(inMemory(content), names)
  for (const { rowStart, rowEnd } of scan.ranges)
    yield { columns: await columnsOf(names, (column) => scan.readColumn({ column, rowStart, rowEnd })), count: rowEnd - rowStart }
}

/** Those of these numbers, which rise, in each group that has any. No more is read and unpacked than the pages that they are in. */
export async function* readNumbered(file: SegmentFile, names: string[], numbers: readonly number[]): AsyncGenerator<Rows> {
  const parts = inParts(file)
  const scan = await openScan(parts, names, AS_BYTES)
  yield* inOrder(groupsOf(numbers, scan), GROUPS_AT_ONCE, async ({ wanted, start, group }) => {
    const columns = await columnsOf(names, async (column) => {
      const runs = runsIn(wanted, await pagesOf(parts, group, column, start))
      return (await Promise.all(runs.map((run) => valuesOf(scan, column, run)))).flat()
    })
    return { columns, count: wanted.length }
  })
}

type Wanted = { readonly wanted: readonly number[]; readonly start: number; readonly group: RowGroup }

/** The numbers that are in each group, where there are any. */
function* groupsOf(numbers: readonly number[], { metadata }: ParquetScan): Generator<Wanted> {
  let [next, start] = [0, 0]
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows)
    const begin = next
    while (next < numbers.length && numbers[next]! < end) next++
    if (next > begin) yield { wanted: numbers.slice(begin, next), start, group }
    start = end
  }
}

/** First rows of the pages of a column. A dictionary would be unpacked for each run of pages: there they are taken for one. */
async function pagesOf(file: AsyncBuffer, { columns }: RowGroup, name: string, start: number): Promise<readonly number[]> {
  const column = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)
  const { meta_data, offset_index_offset, offset_index_length } = column ?? {}
  if (meta_data?.dictionary_page_offset || !offset_index_offset || !offset_index_length) return [start]
  const at = Number(offset_index_offset)
  const view = new DataView(await file.slice(at, at + offset_index_length))
  return readOffsetIndex({ view, offset: 0 }).page_locations.map(({ first_row_index }) => start + Number(first_row_index))
}

/** Numbers whose pages are one after another, together. */
function runsIn(wanted: readonly number[], pages: readonly number[]): readonly (readonly number[])[] {
  const runs: number[][] = []
  let [page, last] = [0, -1]
  for (const number of wanted) {
    while (page + 1 < pages.length && pages[page + 1]! <= number) page++
    if (last < 0 || page > last + 1) runs.push([])
    runs.at(-1)!.push(number)
    last = page
  }
  return runs
}

async function valuesOf(scan: ParquetScan, column: string, run: readonly number[]): Promise<readonly unknown[]> {
  const rowStart = run[0]!
  const values = await scan.readColumn({ column, rowStart, rowEnd: run.at(-1)! + 1 })
  return run.map((number) => textIn(values[number - rowStart]))
}

async function columnsOf(names: readonly string[], read: (name: string) => Promise<ArrayLike<unknown>>): Promise<Rows['columns']> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}

const inMemory = (content: Uint8Array): AsyncBuffer => ({
  byteLength: content.length,
  slice: (start, end) => new Uint8Array(content.subarray(start, end)).buffer,
})

const inParts = ({ bytes, read }: SegmentFile): AsyncBuffer => ({
  byteLength: bytes,
  async slice(start, end = bytes) {
    const part = await read({ start, end }).catch((cause) => Promise.reject(new FileUnread(cause)))
    return new Uint8Array(part).buffer
  },
})

function openScan(file: AsyncBuffer, columns: string[], parsers = {}): Promise<ParquetScan> {
  const compressors = { ZSTD: (packed: Uint8Array) => decompress(packed) }
  return parquetScan({ file, columns, parsers, compressors })
}

const textIn = (value: unknown) => (value instanceof Uint8Array ? utf8.decode(value) : value)
