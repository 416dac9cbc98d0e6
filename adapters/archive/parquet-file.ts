import { compress } from '@bokuweb/zstd-wasm'
import { ByteWriter, type ColumnSource, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'
import { type Packed, unpacked } from './packed-columns.ts'
import { loadZstd } from './zstd.ts'

/** Level 1 takes half the time of the default and a tenth more space. */
const LEVEL = 1

/** A file that is written group of rows by group of rows; the columns are the same in each. */
export type ParquetFile = {
  write(columns: readonly Packed[]): void
  /** Of the file so far. */
  bytes(): number
  finish(): Uint8Array<ArrayBuffer>
}

/** A column of every group. */
export type ColumnShape = Omit<ColumnSource, 'data'>

/** A Parquet file in memory, compressed with zstd. */
export async function parquetFile(columns: readonly ColumnShape[]): Promise<ParquetFile> {
  await loadZstd()
  const bytes = new ByteWriter()
  const file = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: columns.map((column) => ({ ...column, data: [] })) }),
    codec: 'ZSTD',
    compressors: { ZSTD: (plain) => compress(plain, LEVEL) },
  })
  return {
    write(group) {
      const columnData = columns.map((column, index) => ({ ...column, data: unpacked(group[index]!) }))
      file.write({ columnData, rowGroupSize: Math.max(1, columnData[0]!.data.length) })
    },
    bytes: () => bytes.offset,
    finish() {
      file.finish()
      return bytes.getBytes() as Uint8Array<ArrayBuffer>
    },
  }
}
