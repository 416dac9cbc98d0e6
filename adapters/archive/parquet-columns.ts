import { decompress } from '@bokuweb/zstd-wasm'
import type { AsyncBuffer, ParquetScan } from 'hyparquet'
import type { Rows } from './parquet-rows.ts'

/** Leaves a byte order mark where it is: it is part of the text. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const AS_TEXT = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes) }
const AS_BYTES = { stringFromBytes: (bytes: Uint8Array) => bytes }

/** All rows of a Parquet file, group by group; of the columns `inBytes` text is left as it is in the file. */
export async function* readGroups(content: Uint8Array, names: string[], inBytes: string[] = []): AsyncGenerator<Rows> {
  const file = inMemory(content)
  const scan = await openScan(file, names, AS_TEXT)
  const asItIs = await openScan(file, inBytes, AS_BYTES)
  for (const { rowStart, rowEnd } of scan.ranges) {
    const columns = await columnsOf([...names, ...inBytes], (column) =>
      (names.includes(column) ? scan : asItIs).readColumn({ column, rowStart, rowEnd }),
    )
    yield { columns, count: rowEnd - rowStart }
  }
}

async function columnsOf(names: readonly string[], read: (name: string) => Promise<ArrayLike<unknown>>): Promise<Rows['columns']> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}

const inMemory = (content: Uint8Array): AsyncBuffer => ({
  byteLength: content.length,
  slice: (start, end) => new Uint8Array(content.subarray(start, end)).buffer,
})

async function openScan(file: AsyncBuffer, columns: string[], parsers: object): Promise<ParquetScan> {
  // Whoever reads a few rows does without it.
  const { parquetScan } = await import('hyparquet')
  const compressors = { ZSTD: (packed: Uint8Array) => decompress(packed) }
  return parquetScan({ file, columns, parsers, compressors })
}
