import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { EventStoreDBClient, jsonEvent, StreamNotFoundError } from '@eventstore/db-client'
import test from 'ava'
import { connectScavengedStore } from '../../adapters/eventstore/scavenged-store.ts'
import { isNoAnswer } from './client-errors.ts'
import { temporaryFolder } from './damaged-folder.ts'
import { randomFrom } from './random.ts'
import { startServer } from './server-process.ts'

const KILLS = Number(process.env.QUORATE_SCAVENGE_KILLS ?? 8)
const KEPT = 3

/** Ids of a stream's events in their order, and those of an append that was not answered. */
type Written = { ids: string[]; unanswered: string[] }

test.serial(
  'killed while it scavenges, the event store has every event that may be read, and scavenges the rest the next time',
  async (t) => {
    const seed = String(Date.now())
    t.log(`seed ${seed}`)
    const random = randomFrom(seed)
    const dataDir = await temporaryFolder(t)
    const streams = new Map<string, Written>(['kept-1', 'kept-2', 'short-1', 'short-2'].map((name) => [name, { ids: [], unanswered: [] }]))
    const outcomes: string[] = []
    let duration = 100
    let generation = 0
    let last: string | undefined

    async function append(client: EventStoreDBClient, stream: string, count: number, bytes: number): Promise<void> {
      const written = streams.get(stream)!
      const events = Array.from({ length: count }, () =>
        jsonEvent({ id: randomUUID(), type: 'Happened', data: { text: 'x'.repeat(bytes) } }),
      )
      written.unanswered = events.map(({ id }) => id!)
      await client.appendToStream(stream, events)
      written.ids.push(...written.unanswered)
      written.unanswered = []
    }

    async function idsIn(client: EventStoreDBClient, stream: string): Promise<string[]> {
      const ids: string[] = []
      for await (const { event } of client.readStream(stream)) ids.push(event!.id)
      return ids
    }

    /** What may be read is what was acknowledged, and of what was not answered all or nothing. */
    async function check(client: EventStoreDBClient): Promise<void> {
      const stored = new Map<string, string[]>()
      let position = 0n
      for await (const { event } of client.readAll()) {
        t.true(event!.position!.commit > position)
        position = event!.position!.commit
        stored.set(event!.streamId, [...(stored.get(event!.streamId) ?? []), event!.id])
      }
      for (const [stream, written] of streams) {
        const found = stored.get(stream) ?? []
        if (written.unanswered.length > 0 && found.at(-1) === written.unanswered.at(-1)) written.ids.push(...written.unanswered)
        written.unanswered = []
        const shown = stream.startsWith('short') ? written.ids.slice(-KEPT) : written.ids
        t.deepEqual(await idsIn(client, stream), shown)
        // Nothing is lost from the middle: what is there is the end of what was written.
        t.deepEqual(found, written.ids.slice(-found.length))
      }
      for (let number = 1; number <= generation; number++)
        await t.throwsAsync(idsIn(client, `deleted-${number}`), { instanceOf: StreamNotFoundError })
    }

    async function withServer(
      work: (client: EventStoreDBClient, store: ReturnType<typeof connectScavengedStore>, kill: () => void) => Promise<void>,
    ) {
      const server = await startServer({ dataDir })
      const client = EventStoreDBClient.connectionString(server.url)
      const store = connectScavengedStore(server.url)
      try {
        await work(client, store, server.kill)
      } finally {
        server.kill()
        await server.exit
        void client.dispose()
        void store.close()
      }
    }

    for (let round = 0; round < KILLS; round++)
      await withServer(async (client, store, kill) => {
        if (round > 0) await check(client)
        if (last !== undefined) outcomes.push((await store.outcomeOf(last))?.result ?? 'none')
        for (const stream of ['short-1', 'short-2']) await client.setStreamMetadata(stream, { maxCount: KEPT })
        for (let n = 0; n < 15; n++) {
          await append(client, `short-${1 + (n % 2)}`, 20, 5_000)
          await append(client, `kept-${1 + (n % 2)}`, 2, 500)
        }
        generation += 1
        await client.appendToStream(`deleted-${generation}`, jsonEvent({ type: 'Happened', data: {} }))
        await client.deleteStream(`deleted-${generation}`)
        last = await store.startScavenge()
        const begun = performance.now()
        const writing = (async () => {
          for (;;) await append(client, `kept-${1 + random.below(2)}`, 1 + random.below(3), 200)
        })().catch((error: Error) => {
          if (!isNoAnswer(error)) throw error
        })
        if (round === 0) {
          while (!(await store.outcomeOf(last))) await delay(5)
          duration = performance.now() - begun
        } else await delay((random.below(100) / 100) * duration)
        kill()
        await writing
      })
    t.log(`a scavenge takes ${Math.round(duration)} ms; ended: ${outcomes.join(', ')}`)
    t.true(outcomes.every((outcome) => outcome === 'Success' || outcome === 'Interrupted'))
    await withServer(async (client, store) => {
      await check(client)
      const id = await store.startScavenge()
      while (!(await store.outcomeOf(id))) await delay(5)
      t.is((await store.outcomeOf(id))?.result, 'Success')
      await check(client)
      const left: string[] = []
      for await (const { event } of client.readAll()) if (event?.streamId.startsWith('short-')) left.push(event.id)
      t.is(left.length, 2 * KEPT)
    })
    t.deepEqual(
      (await readdir(dataDir)).filter((name) => name.endsWith('.new')),
      [],
    )
  },
)
