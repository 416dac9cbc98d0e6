import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { METADATA, newSigner, openTestDocuments, openTestLog, startKeeper, until } from '../../audit/testing/audited-log.ts'
import { readHead } from '../../domain/audit/tree-documents.ts'
import { timeOf } from '../../domain/history/moment.ts'
import type { NewEvent, RecordedEvent } from '../../domain/ports/event-log.ts'
import { type ListedLog, listEvents } from './list-events.ts'

const BEGIN = Date.parse('2026-01-01T00:00:00.000Z')
const EVENTS = 1_000

/** A log of many events, a second between two, by clocks that differ; and what the keeper makes of it. */
async function longLog(t: ExecutionContext) {
  const signer = newSigner()
  const { log } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const event = (n: number): NewEvent => ({
    id: randomUUID(),
    type: 'Happened',
    data: { n },
    metadata: { ...METADATA, occurredAt: new Date(BEGIN + n * 1_000 + ((n * 7_919) % 5) * 700).toISOString() },
  })
  await log.append(
    'wallet-1',
    'no_stream',
    Array.from({ length: EVENTS }, (_, n) => event(n)),
  )
  const keeper = startKeeper(t, { ...signer, log, documents })
  await until(async () => (await readHead(documents))?.size === EVENTS)
  await keeper.stop()
  const events: RecordedEvent[] = []
  for await (const each of log.readStream('wallet-1')) events.push(each)
  return { log, documents, events }
}

type Page = { items: { position: string; id: string }[]; nextCursor: string | null }

async function pageOf(listed: ListedLog, query: { [name: string]: string }): Promise<Page> {
  const request = { query, principal: { tenant: '*' } }
  return (await listEvents(listed).handle(request as never)).body as Page
}

const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id)

test('a time is found without reading the log from its beginning, whatever clocks say', async (t) => {
  const { log, documents, events } = await longLog(t)
  for (const second of [0, 1, 255, 256, 700, 998.5]) {
    const time = BEGIN + second * 1_000
    const expected = events.filter((event) => timeOf(event) >= time)
    let looked = 0
    const counting: ListedLog['log'] = {
      ...log,
      async *readAll(options) {
        for await (const event of log.readAll(options)) {
          looked++
          yield event
        }
      },
    }
    const { items } = await pageOf({ log: counting, documents }, { from: new Date(time).toISOString(), limit: '5' })
    t.deepEqual(idsOf(items), idsOf(expected.slice(0, 5)))
    t.true(looked < 300, `${looked} events looked at for second ${second}`)
    const without = await pageOf({ log, documents: { get: async () => undefined } }, { from: new Date(time).toISOString(), limit: '5' })
    t.deepEqual(without.items, items)
  }
})

test('a position is read from, also where no event is and the store refuses it', async (t) => {
  const { log, documents, events } = await longLog(t)
  const refusing: ListedLog['log'] = {
    ...log,
    async *readAll(options) {
      const { from } = options ?? {}
      // As a real EventStoreDB does, of which a position is an offset in a file.
      if (from !== undefined && !events.some(({ position }) => position === from)) throw new Error('invalid position')
      yield* log.readAll(options)
    },
  }
  for (const index of [0, 10, 256, 900]) {
    const { position } = events[index]!
    const { items } = await pageOf({ log: refusing, documents }, { from: `${position}`, limit: '3' })
    t.deepEqual(idsOf(items), idsOf(events.slice(index, index + 3)))
  }
  const nowhere = {
    ...refusing,
    async *readAll(options?: { from?: bigint }) {
      if (options?.from !== undefined) throw new Error('invalid position')
      yield* log.readAll(options)
    },
  }
  const { items } = await pageOf({ log: nowhere, documents }, { from: `${events[600]!.position}`, limit: '3' })
  t.deepEqual(idsOf(items), idsOf(events.slice(600, 603)))
})

test('pages go on while the log grows, and none shows an event twice', async (t) => {
  const { log, documents, events } = await longLog(t)
  const seen: string[] = []
  const query: { [name: string]: string } = { from: `${events[950]!.position}`, limit: '20' }
  for (let pages = 0; pages < 10; pages++) {
    const { items, nextCursor } = await pageOf({ log, documents }, query)
    seen.push(...idsOf(items))
    if (nextCursor === null) break
    query.cursor = nextCursor
    if (pages === 0) await log.append('wallet-2', 'no_stream', [{ id: randomUUID(), type: 'Happened', data: {}, metadata: METADATA }])
  }
  t.deepEqual(seen.slice(0, 50), idsOf(events.slice(950)))
  t.is(seen.length, 51)
})
