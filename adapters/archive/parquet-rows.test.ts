import test from 'ava'
import fc from 'fast-check'
import { heldIn, writeLeaf } from '../../domain/audit/canonical-event.ts'
import { type ByteRange, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { parquetFormat } from './parquet-format.ts'

const GROUP = 70
const GROUPS = 3
/** More than a page has room for. */
const LONG = 'ä'.repeat(30_000)

/** With a byte order mark, which decoders are fond of dropping. */
const MARKED = '\ufeffHappened'

/** Some with a wallet and some without, some that others have written and are no JSON, long ones and short ones. */
function rowAt(index: number): SegmentRow {
  const walletId = index % 3 === 0 ? undefined : `wallet-${index % 5}`
  const data = index % 11 === 0 ? Buffer.from([index, 255, 0]) : { walletId, n: index, text: index % 7 === 0 ? LONG : '€' }
  const event = {
    ...{
      stream: `wallet-${index % 5}`,
      revision: BigInt(index),
      id: `event ${index}`,
      type: index % 13 === 0 ? MARKED : 'Happened',
      position: 10n ** 15n + BigInt(index),
    },
    ...{ recordedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, index >> 1)).toISOString(), data, metadata: { actor: 'somebody' } },
  } as unknown as RecordedEvent
  return { leafIndex: index, identity: event, walletId, data: heldIn(event.data), metadata: heldIn(event.metadata), event }
}

async function segmentOfGroups(): Promise<Uint8Array> {
  const writer = (await parquetFormat()).writer()
  for (let index = 0; index < GROUPS * GROUP; index++) {
    const row = rowAt(index)
    writer.add({ ...row, ...writeLeaf(row.identity, row.data, row.metadata) })
    if (index % GROUP === GROUP - 1) await writer.write()
  }
  return writer.finish()
}

const inMemory = (content: Uint8Array) => ({
  bytes: content.length,
  read: async ({ start, end }: ByteRange) => content.subarray(start, end),
})

async function rowsOf(groups: AsyncIterable<readonly SegmentRow[]>): Promise<SegmentRow[]> {
  const rows: SegmentRow[] = []
  for await (const group of groups) rows.push(...group)
  return rows
}

test('rows that are looked up are those that reading all of them finds', async (t) => {
  const [format, content] = [await parquetFormat(), await segmentOfGroups()]
  const all = await rowsOf(format.read(content))
  t.is(all.length, GROUPS * GROUP)
  t.is(all[0]!.identity.type, MARKED)
  await fc.assert(
    fc.asyncProperty(fc.subarray(all.map((_, number) => number)), async (numbers) => {
      t.deepEqual(
        await rowsOf(format.readRows(inMemory(content), numbers)),
        numbers.map((number) => all[number]),
      )
    }),
    { numRuns: 15 },
  )
})

test('a row that is not there is missed, a file that cannot be read says why, and one that is no segment is none', async (t) => {
  const [format, content] = [await parquetFormat(), await segmentOfGroups()]
  await t.throwsAsync(rowsOf(format.readRows(inMemory(content), [0, GROUPS * GROUP])), { instanceOf: SegmentUnreadable })
  await t.throwsAsync(rowsOf(format.readRows(inMemory(content.slice(0, -9)), [0])), { instanceOf: SegmentUnreadable })
  const away = new Error('the disk is away')
  const unread = { bytes: content.length, read: () => Promise.reject(away) }
  t.is(await t.throwsAsync(rowsOf(format.readRows(unread, [0]))), away)
})
