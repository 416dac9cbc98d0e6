import { timeOf } from '../../domain/history/moment.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'

export const FORMATS = ['table', 'json', 'ndjson', 'csv'] as const
export type Format = (typeof FORMATS)[number]

export type EventWriter = { event(event: RecordedEvent): Promise<void>; end(): Promise<void> }

type Write = (text: string) => Promise<void>

/** Events one after another, in a format; none is kept. */
export function writerOf(format: Format, write: Write): EventWriter {
  switch (format) {
    case 'ndjson':
      return { event: (event) => write(`${JSON.stringify(plain(event))}\n`), end: async () => {} }
    case 'json':
      return jsonWriter(write)
    case 'csv':
      return rowWriter((cells) => write(`${cells.map(quoted).join(',')}\r\n`), COLUMNS)
    case 'table':
      return rowWriter(
        (cells) =>
          write(
            `${cells
              .map((cell, index) => fitted(cell, WIDTHS[index]!))
              .join('  ')
              .trimEnd()}\n`,
          ),
        COLUMNS.slice(0, WIDTHS.length),
      )
  }
}

type Column = { readonly name: string; readonly of: (event: RecordedEvent) => string }

const field = (name: string): Column => ({
  name,
  of: ({ data }) => String((data as { readonly [name: string]: unknown } | null)?.[name] ?? ''),
})

const COLUMNS: readonly Column[] = [
  { name: 'time', of: (event) => new Date(timeOf(event)).toISOString() },
  { name: 'type', of: ({ type }) => type },
  { name: 'stream', of: ({ stream }) => stream },
  { name: 'revision', of: ({ revision }) => revision.toString() },
  { name: 'actor', of: ({ metadata }) => metadata?.actor ?? '' },
  { name: 'position', of: ({ position }) => position.toString() },
  { name: 'id', of: ({ id }) => id },
  { name: 'tenant', of: ({ metadata }) => metadata?.tenant ?? '' },
  ...['walletId', 'keyId', 'sessionId', 'accountId', 'transferId', 'partyId'].map(field),
  { name: 'data', of: ({ data }) => JSON.stringify(data) },
]

/** Of the first columns in a table. */
const WIDTHS = [24, 24, 52, 8, 16, 12]

function rowWriter(row: (cells: readonly string[]) => Promise<void>, columns: readonly Column[]): EventWriter {
  let hasHead = false
  const head = async () => {
    if (!hasHead) await row(columns.map(({ name }) => name))
    hasHead = true
  }
  return {
    async event(event) {
      await head()
      await row(columns.map(({ of }) => of(event)))
    },
    end: head,
  }
}

function jsonWriter(write: Write): EventWriter {
  let isFirst = true
  return {
    async event(event) {
      await write(`${isFirst ? '[' : ','}\n${JSON.stringify(plain(event))}`)
      isFirst = false
    },
    end: () => write(isFirst ? '[]\n' : '\n]\n'),
  }
}

const plain = ({ revision, position, ...event }: RecordedEvent) => ({
  ...event,
  revision: revision.toString(),
  position: position.toString(),
})

/** What would move the cursor of a terminal, or colour it, is left out. */
function fitted(cell: string, width: number): string {
  const plain = cell.replaceAll(/\p{Cc}/gu, '·')
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain.padEnd(width)
}

/** As RFC 4180 says; what a spreadsheet would take for a formula is kept from being one. */
function quoted(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
