import { decompress } from '@bokuweb/zstd-wasm'
import { type ParquetScan, parquetScan } from 'hyparquet'

/** What is in some columns of some rows. */
export type Rows = { readonly columns: { readonly [name: string]: ArrayLike<unknown> }; readonly count: number }

/** Text stays what it is in the file until it is known whether anybody wants it: most of a page is not. */
const AS_BYTES = { stringFromBytes: (bytes: Uint8Array) => bytes }
const utf8 = new TextDecoder()

/** All rows of a Parquet file, group by group; of the columns `inBytes` text is left as it is in the file. */
export async function* readGroups(content: Uint8Array, names: string[], inBytes: string[] = []): AsyncGenerator<Rows> {
  const scan = await openScan(content, names)
  const asItIs = await openScan(content, inBytes, AS_BYTES)
  for (const { rowStart, rowEnd } of scan.ranges) {
    const columns = await columnsOf([...names, ...inBytes], (column) =>
      (names.includes(column) ? scan : asItIs).readColumn({ column, rowStart, rowEnd }),
    )
    yield { columns, count: rowEnd - rowStart }
  }
}

/** Those of these numbers, which rise, in each group that has any. Of a file with page indexes no more is unpacked than the pages that they are in. */
export async function* readNumbered(content: Uint8Array, names: string[], numbers: readonly number[]): AsyncGenerator<Rows> {
  const scan = await openScan(content, names, AS_BYTES)
  let next = 0
  for (const group of scan.ranges) {
    const begin = next
    while (next < numbers.length && numbers[next]! < group.rowEnd) next++
    if (next === begin) continue
    const wanted = numbers.slice(begin, next)
    const [rowStart, rowEnd] = [wanted[0]!, wanted.at(-1)! + 1]
    const columns = await columnsOf(names, async (column) => {
      const values = await scan.readColumn({ column, rowStart, rowEnd })
      return wanted.map((number) => textIn(values[number - rowStart]))
    })
    yield { columns, count: wanted.length }
  }
}

async function columnsOf(names: readonly string[], read: (name: string) => Promise<ArrayLike<unknown>>): Promise<Rows['columns']> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}

function openScan(content: Uint8Array, columns: string[], parsers = {}): Promise<ParquetScan> {
  const slice = (start: number, end?: number) => new Uint8Array(content.subarray(start, end)).buffer
  const compressors = { ZSTD: (packed: Uint8Array) => decompress(packed) }
  return parquetScan({ file: { byteLength: content.length, slice }, columns, parsers, compressors })
}

const textIn = (value: unknown) => (value instanceof Uint8Array ? utf8.decode(value) : value)
