import test from 'ava'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { type Format, writerOf } from './formats.ts'

const event = (fields: Partial<RecordedEvent> = {}, data: object = {}): RecordedEvent => ({
  id: 'e1',
  type: 'WalletCreated',
  stream: 'wallet-w1',
  revision: 0n,
  position: 7n,
  recordedAt: '2026-01-01T00:00:00.000Z',
  data,
  metadata: {
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    actor: 'a',
    tenant: 'acme',
    occurredAt: '2026-01-01T00:00:00.000Z',
    schemaVersion: 1,
    ...fields.metadata,
  },
  ...fields,
})

async function written(format: Format, events: readonly RecordedEvent[]): Promise<string> {
  let text = ''
  const writer = writerOf(format, async (part) => {
    text += part
  })
  for (const each of events) await writer.event(each)
  await writer.end()
  return text
}

/** As RFC 4180 has it. */
function cellsOf(csv: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!)
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

test('what a spreadsheet would take for a formula is text in CSV, and everything else is read back as it was', async (t) => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) {
    const [, row] = cellsOf(await written('csv', [event({ stream: formula })]))
    t.is(row![2], `'${formula}`)
  }
  for (const plain of ['a "quoted" one', 'two\r\nlines', 'a,b', '1=1', "it's"]) {
    const [head, row] = cellsOf(await written('csv', [event({ stream: plain }, { walletId: plain })]))
    t.is(head!.length, row!.length)
    t.is(row![2], plain)
    t.is(row![head!.indexOf('walletId')], plain)
    t.deepEqual(JSON.parse(row![head!.indexOf('data')]!), { walletId: plain })
  }
})

test('a list of nothing is a list in each format', async (t) => {
  t.deepEqual(JSON.parse(await written('json', [])), [])
  t.is(await written('ndjson', []), '')
  t.is(cellsOf(await written('csv', [])).length, 1)
  t.regex(await written('table', []), /^time +type/)
})

test('JSON and NDJSON hold the events, and a table cannot move the cursor', async (t) => {
  const events = [event(), event({ stream: 'keyShare-\u001b[2J\u009b' })]
  const plain = events.map(({ revision, position, ...rest }) => ({ ...rest, revision: `${revision}`, position: `${position}` }))
  t.deepEqual(JSON.parse(await written('json', events)), plain)
  t.deepEqual(
    (await written('ndjson', events))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    plain,
  )
  t.notRegex((await written('table', events)).replaceAll('\n', ''), /\p{Cc}/u)
})
