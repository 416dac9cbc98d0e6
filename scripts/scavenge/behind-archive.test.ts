import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binaryEvent, EventStoreDBClient } from '@eventstore/db-client'
import test, { type ExecutionContext } from 'ava'
import { folderStore } from '../../adapters/archive/folder-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { connectScavengedStore } from '../../adapters/eventstore/scavenged-store.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { archiveLog } from '../../audit/archive/writing.ts'
import { newEvents, newSigner } from '../../audit/testing/audited-log.ts'
import { sha256 } from '../../audit/testing/sha256.ts'
import { currentEvent } from '../../domain/event-catalogue.ts'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import { scavengeStream } from '../../domain/scavenge/events.ts'
import { scavengeBehindArchive } from './behind-archive.ts'

const FUTURE = new Date(Date.now() + 3_600_000)
const PAST = new Date(0)

/** A log on disk with wallets and snapshots, and an archive of it. */
async function setUp(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-scavenging-'))
  const server = await startEmbeddedEventStore({ port: 0, dataDir: join(folder, 'store') })
  const log = connectEventLog({ url: server.url })
  const store = connectScavengedStore(server.url)
  const client = EventStoreDBClient.connectionString(server.url)
  t.teardown(async () => {
    await Promise.all([client.dispose(), store.close(), log.close()])
    await server.close()
    await rm(folder, { recursive: true })
  })
  const wallet = `wallet-${randomUUID()}`
  for (let count = 0; count < 5; count++) {
    await log.append(wallet, 'any', newEvents(10))
    await log.writeSnapshot(wallet, { state: 'x'.repeat(20_000), count })
  }
  const signer = newSigner()
  const archive = { ...signer, store: folderStore(join(folder, 'archive')), format: await parquetFormat(), verify: verifyIdentity, sha256 }
  const signal = new AbortController().signal
  const write = () => archiveLog({ ...archive, log, segmentEvents: 20, signal, onSegment() {} })
  await write()
  const scavenge = (options: Partial<Parameters<typeof scavengeBehindArchive>[0]> = {}) =>
    scavengeBehindArchive({ log, store, archive, recordedBefore: FUTURE, by: 'ops@example.com', isDryRun: false, ...options })
  const bytes = async () => {
    const names = await readdir(join(folder, 'store'))
    const sizes = await Promise.all(names.filter((name) => name.endsWith('.log')).map((name) => stat(join(folder, 'store', name))))
    return sizes.reduce((sum, { size }) => sum + size, 0)
  }
  return { folder, log, store, client, wallet, archive, write, scavenge, bytes }
}

async function all(log: Awaited<ReturnType<typeof setUp>>['log'], stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of log.readStream(stream)) events.push(event)
  return events
}

test('old snapshots go, all that is read stays, and the log says who had it done behind which archive', async (t) => {
  const { log, client, wallet, scavenge, bytes, write } = await setUp(t)
  for (const name of ['short', 'deleted', 'ended']) await log.append(`others-${name}`, 'no_stream', newEvents(5))
  await client.setStreamMetadata('others-short', { maxCount: 2 })
  await client.setStreamMetadata('others-ended', { custom: 1 })
  await client.deleteStream('others-deleted')
  await client.tombstoneStream('others-ended')
  const [before, size] = [await all(log, wallet), await bytes()]
  const planned = await scavenge({ isDryRun: true })
  const expected = { snapshots: 4, subscriptions: 0, metadata: 1, webhookRecords: 0, others: 3 + 4 + 5 }
  t.deepEqual(planned.removable, expected)
  t.is(planned.done, undefined)
  t.is(await bytes(), size, 'nothing is removed')
  const { done, archiveRoot, position } = await scavenge()
  t.is(done?.result, 'Success')
  t.deepEqual(done?.removed, expected)
  t.true(done!.bytesFreed > 80_000)
  t.deepEqual(await all(log, wallet), before)
  t.like(await log.readSnapshot(wallet), { count: 4 })
  const told = await all(log, scavengeStream(done!.scavengeId))
  t.deepEqual(
    told.map((event) => [currentEvent(event).type, event.metadata.actor]),
    [
      ['ScavengeStarted', 'ops@example.com'],
      ['ScavengeCompleted', 'ops@example.com'],
    ],
  )
  t.like(told[0]!.data, { archiveRoot, archivedEvents: 50, position: position.toString() })
  await t.throwsAsync(scavenge(), { code: 'not_archived' }, 'what was said of it has to be archived, too')
  await write()
  t.like((await scavenge()).done, { result: 'Success', removed: { snapshots: 0, others: 0 } })
})

test('without an archive that holds the log nothing is removed', async (t) => {
  const { folder, log, client, wallet, archive, scavenge, bytes } = await setUp(t)
  const other = await setUp(t)
  const size = await bytes()
  await t.throwsAsync(scavenge({ archive: other.archive }), { code: 'archive_of_another_log', message: new RegExp(wallet) })
  await t.throwsAsync(scavenge({ archive: { ...archive, key: other.archive.key } }), { name: 'NoteRefused' })
  await t.throwsAsync(scavenge({ archive: { ...archive, store: folderStore(join(folder, 'nowhere')) } }), {
    code: 'no_archive',
    message: /nowhere/,
  })
  await log.append(wallet, 49n, newEvents(2))
  await t.throwsAsync(scavenge(), { code: 'not_archived', message: new RegExp(`${wallet} revision 50`) })
  t.is((await scavenge({ recordedBefore: PAST, isDryRun: true })).archivedEvents, 50, 'what is new need not be')
  const hashes = (await readdir(join(folder, 'archive/leaves'))).sort()
  const file = join(folder, 'archive/leaves', hashes[1]!)
  const whole = await readFile(file)
  await writeFile(file, Buffer.concat([whole.subarray(0, 40), Buffer.from([whole[40]! ^ 1]), whole.subarray(41)]))
  await t.throwsAsync(scavenge({ recordedBefore: PAST }), { name: 'SegmentUnreadable' })
  await writeFile(file, whole)
  await client.deleteStream(wallet)
  await t.throwsAsync(scavenge({ recordedBefore: PAST }), { code: 'history_hidden', message: new RegExp(wallet) })
  t.is(await bytes(), size)
})

test('events of the domain that are hidden in whatever way refuse, also those that have yet to grow old enough', async (t) => {
  const { client, wallet, scavenge } = await setUp(t)
  const refused = { code: 'history_hidden', message: new RegExp(wallet) }
  for (const limits of [{ maxAge: 3_600 }, { maxCount: 49 }, { truncateBefore: 1 }]) {
    await client.setStreamMetadata(wallet, limits)
    await t.throwsAsync(scavenge(), refused)
  }
  await client.setStreamMetadata(wallet, { maxCount: 50, owner: 'x' })
  t.is((await scavenge({ isDryRun: true })).removable.others, 0)
  const notCalledJson = binaryEvent({ type: '$metadata', data: Buffer.from('{"$tb":20}') })
  await client.appendToStream(`$$${wallet}`, notCalledJson)
  await t.throwsAsync(scavenge(), refused)
})

test('a store that does not answer for a while is asked again', async (t) => {
  const { log, store, scavenge } = await setUp(t)
  let asked = 0
  const silentAtFirst: typeof store = {
    ...store,
    async outcomeOf(id) {
      if (asked++ === 0) throw new Unavailable('eventstore')
      return store.outcomeOf(id)
    },
  }
  const { done } = await scavenge({ store: silentAtFirst })
  t.is(done?.result, 'Success')
  t.is((await all(log, scavengeStream(done!.scavengeId))).length, 2)
})

test('a log that has not all of its archive, or something else in its place, is refused', async (t) => {
  const { archive, write } = await setUp(t)
  const longer = await write()
  const other = await setUp(t)
  t.is(longer?.tree.size, 50)
  const missing = { ...other.log, subscribe: beginning(other.log, 30) }
  await t.throwsAsync(other.scavenge({ log: missing }), { code: 'log_lacks_events' })
  await t.throwsAsync(other.scavenge({ log: { ...other.log, subscribe: changed(other.log, 7) } }), {
    code: 'log_differs',
    message: /event 7 of the log/,
  })
  await t.throwsAsync(other.scavenge({ archive }), { code: 'archive_of_another_log' })
})

type Log = Awaited<ReturnType<typeof setUp>>['log']

/** The log as it was when it had so many events. */
function beginning(log: Log, count: number): Log['subscribe'] {
  return async function* (options) {
    let left = count
    for await (const batch of log.subscribe(options))
      yield batch.filter(({ kind }) => kind === 'caughtUp' || (kind === 'event' && left-- > 0))
  }
}

/** The log with other data in one of its events. */
function changed(log: Log, index: number): Log['subscribe'] {
  return async function* (options) {
    let at = 0
    for await (const batch of log.subscribe(options))
      yield batch.map((message) =>
        message.kind === 'event' && at++ === index ? { ...message, event: { ...message.event, data: { n: 'else' } } } : message,
      )
  }
}
