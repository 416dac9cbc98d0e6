import { type FileMetaData, parquetMetadata, parquetRead } from 'hyparquet'

export type ParquetRow = { [column: string]: unknown }

type Compressors = NonNullable<Parameters<typeof parquetRead>[0]['compressors']>

/** Text stays what it is in the file until it is known whether anybody wants it: most of a page is not. */
const AS_BYTES = { stringFromBytes: (bytes: Uint8Array) => bytes }

/** Some columns of some rows, by their numbers in rising order. Of a file with page indexes no more is unpacked than the pages that they are in. */
export async function readParquetRows(
  file: ArrayBuffer,
  { wanted, columns, compressors }: { readonly wanted: readonly number[]; readonly columns: string[]; readonly compressors: Compressors },
): Promise<readonly ParquetRow[]> {
  const metadata = parquetMetadata(file, { parsers: AS_BYTES })
  const found: ParquetRow[] = []
  for (const numbers of inGroups(wanted, metadata)) {
    const rows = new Map<number, ParquetRow>(numbers.map((number) => [number, {}]))
    const [first, last] = [numbers[0]!, numbers.at(-1)!]
    await parquetRead({
      ...{ file, metadata, columns, compressors, parsers: AS_BYTES, useOffsetIndex: true, rowStart: first, rowEnd: last + 1 },
      onChunk({ columnName, columnData, rowStart, rowEnd }) {
        for (const [number, row] of rows) if (number >= rowStart && number < rowEnd) row[columnName] = textIn(columnData[number - rowStart])
      },
    })
    found.push(...rows.values())
  }
  return found
}

/** Those of each row group together. */
function inGroups(wanted: readonly number[], { row_groups: groups }: FileMetaData): readonly (readonly number[])[] {
  let end = 0
  let at = 0
  return groups.flatMap(({ num_rows: rows }) => {
    end += Number(rows)
    const begin = at
    while (at < wanted.length && wanted[at]! < end) at++
    return at > begin ? [wanted.slice(begin, at)] : []
  })
}

const textIn = (value: unknown) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value)
