import { decompress } from '@bokuweb/zstd-wasm'
import type { AsyncBuffer, ParquetScan } from 'hyparquet'
import type { Rows } from './parquet-rows.ts'

/** All rows of a Parquet file, group by group. */
export async function* readGroups(content: Uint8Array, names: string[]): AsyncGenerator<Rows> {
  const scan = await openScan(inMemory(content), names)
  for (const { rowStart, rowEnd } of scan.ranges)
    yield { columns: await columnsOf(names, (column) => scan.readColumn({ column, rowStart, rowEnd })), count: rowEnd - rowStart }
}

async function columnsOf(names: readonly string[], read: (name: string) => Promise<ArrayLike<unknown>>): Promise<Rows['columns']> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}

const inMemory = (content: Uint8Array): AsyncBuffer => ({
  byteLength: content.length,
  slice: (start, end) => new Uint8Array(content.subarray(start, end)).buffer,
})

async function openScan(file: AsyncBuffer, columns: string[]): Promise<ParquetScan> {
  // Whoever reads a few rows does without it.
  const { parquetScan } = await import('hyparquet')
  const compressors = { ZSTD: (packed: Uint8Array) => decompress(packed) }
  return parquetScan({ file, columns, compressors })
}
