import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { folderStore } from '../adapters/archive/folder-store.ts'
import { parquetFormat } from '../adapters/archive/parquet-format.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { readHead } from '../domain/audit/tree-documents.ts'
import { isOfWallet } from '../domain/history/selection.ts'
import { NotRetrieved } from '../domain/ports/archive.ts'
import type { NewEvent, RecordedEvent } from '../domain/ports/event-log.ts'
import { coldSegments, retrieveSegments, tierSegments } from './archive/tiers.ts'
import { archiveLog } from './archive/writing.ts'
import { type HistorySources, readHistory, readStreamOf, readWallet } from './history.ts'
import { METADATA, newSigner, openTestDocuments, openTestLog, startKeeper, until } from './testing/audited-log.ts'
import { sha256 } from './testing/sha256.ts'

const about = (walletId: string, count: number): NewEvent[] =>
  Array.from({ length: count }, (_, n) => ({ id: randomUUID(), type: 'Happened', data: { walletId, n }, metadata: METADATA }))

/** Wallets whose events are between one another's, in several streams each; the first ones are archived. */
async function twoWallets(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-history-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const signer = newSigner()
  const { log } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const archive = { store: folderStore(folder), key: signer.key, format: await parquetFormat(), verify: verifyIdentity, sha256 }
  const [walletId, other] = [randomUUID(), randomUUID()]
  const keyStream = `keyShare-${randomUUID()}`
  let size = 0
  const append = async (stream: string, events: NewEvent[]) => {
    await log.append(stream, 'any', events)
    size += events.length
  }
  const grow = async () => {
    for (const id of [walletId, other]) await append(`wallet-${id}`, about(id, 3))
    await append(keyStream, about(walletId, 2))
    await append(`signingSession-${randomUUID()}`, about(walletId, 4))
    await append(`signingSession-${randomUUID()}`, about(other, 4))
  }
  await grow()
  await grow()
  const signal = new AbortController().signal
  await archiveLog({ ...archive, identity: signer.identity, log, segmentEvents: 10, signal, onSegment() {} })
  await grow()
  return { signer, log, documents, archive, walletId, other, keyStream, grow, size: () => size }
}

const collected = async (events: AsyncIterable<RecordedEvent>) => {
  const found: RecordedEvent[] = []
  for await (const event of events) found.push(event)
  return found
}

const scanned = async (sources: HistorySources, walletId: string) =>
  (await collected(readHistory(sources))).filter((event) => isOfWallet(event, walletId))

test('a wallet looked up is the wallet read, from the log, from the archive and across the seam', async (t) => {
  const context = await twoWallets(t)
  const { log, documents, archive, walletId, other, keyStream, size } = context
  const keeper = startKeeper(t, { ...context.signer, log, documents })
  await until(async () => (await readHead(documents))?.size === size())
  await keeper.stop()
  // The keeper is behind from now on.
  await context.grow()
  const compare = async (sources: HistorySources) => {
    for (const id of [walletId, other]) {
      const found = await collected(readWallet(sources, id, () => t.fail('the log was read')))
      t.deepEqual(found, await scanned(sources, id))
      t.true(found.length > 0)
    }
  }
  for (const sources of [{ log, documents }, { archive }, { log, archive }, { log, documents, archive }]) await compare(sources)
  const whole = (await scanned({ log }, walletId)).filter(({ stream }) => stream === keyStream)
  t.deepEqual(await collected(readStreamOf({ log, archive }, keyStream)), whole)
  t.deepEqual(await collected(readStreamOf({ log }, keyStream)), whole)
  t.deepEqual(await collected(readWallet({ log, documents, archive }, randomUUID())), [])
  // So much after the archive is looked up, too.
  await log.append(`wallet-${randomUUID()}`, 'no_stream', about(randomUUID(), 1_100))
  await compare({ log, documents, archive })
  let scans = 0
  await collected(readWallet({ log, archive }, walletId, () => scans++))
  t.is(scans, 1)
})

test('what is lost of the index is noticed, and the log is read instead', async (t) => {
  const context = await twoWallets(t)
  const { log, documents, walletId, keyStream, size } = context
  const keeper = startKeeper(t, { ...context.signer, log, documents })
  await until(async () => (await readHead(documents))?.size === size())
  await keeper.stop()
  const whole = await scanned({ log }, walletId)
  const without = (isLost: (collection: string, stream?: unknown) => boolean): HistorySources['documents'] => ({
    get: async (collection, id) => (isLost(collection) ? undefined : documents.get(collection, id)),
    find: async (collection, options) => (await documents.find(collection, options)).filter(({ stream }) => !isLost(collection, stream)),
  })
  const losses = {
    nothing: [without(() => false), 0],
    'one stream': [without((_, stream) => stream === keyStream), 1],
    'how many streams there are': [without((collection) => collection === 'audit_wallets'), 1],
    'all streams of all wallets': [without((collection) => ['audit_streams', 'audit_wallets'].includes(collection)), 1],
    'how far it goes': [without((collection) => collection === 'audit_tree'), 1],
  } as const
  for (const [lost, [remaining, expected]] of Object.entries(losses)) {
    let scans = 0
    t.deepEqual(await collected(readWallet({ log, documents: remaining }, walletId, () => scans++)), whole)
    t.is(scans, expected, lost)
  }
  let scans = 0
  t.deepEqual(await collected(readWallet({ log }, walletId, () => scans++)), whole)
  t.is(scans, 1)
})

test('an index of another log is not taken for that of this one', async (t) => {
  const context = await twoWallets(t)
  const { log, walletId } = context
  const another = await twoWallets(t)
  const keeper = startKeeper(t, { ...another.signer, log: another.log, documents: another.documents })
  await until(async () => (await readHead(another.documents))?.size === another.size())
  await keeper.stop()
  let scans = 0
  const found = await collected(readWallet({ log, documents: another.documents }, walletId, () => scans++))
  t.deepEqual(found, await scanned({ log }, walletId))
  t.is(scans, 1)
})

test('what is cold is read from the log, as long as that has it, and has to be asked for otherwise', async (t) => {
  const context = await twoWallets(t)
  const { log, archive, walletId, keyStream } = context
  const read = async (sources: HistorySources) => [
    await collected(readHistory(sources)),
    await collected(readWallet(sources, walletId)),
    await collected(readStreamOf(sources, keyStream)),
  ]
  const whole = await read({ log, archive })
  await tierSegments(archive.store, archive, 0)
  t.deepEqual(await coldSegments(archive.store, archive), [0, 1, 2, 3])
  t.deepEqual(await read({ log, archive }), whole)
  await t.throwsAsync(collected(readHistory({ archive })), { instanceOf: NotRetrieved })
  await retrieveSegments(archive.store, archive, { from: 0, to: 1 }, 1)
  t.deepEqual(await coldSegments(archive.store, archive), [2, 3])
  t.deepEqual(await read({ log, archive }), whole)
})

test('a log that has lost events of cold segments is not taken for them', async (t) => {
  const context = await twoWallets(t)
  const { log, archive, walletId, keyStream } = context
  await tierSegments(archive.store, archive, 0)
  const lossy: HistorySources['log'] = {
    ...log,
    async *readStream(stream, options) {
      if (stream !== keyStream) yield* log.readStream(stream, options)
    },
    async *subscribe(options) {
      for await (const batch of log.subscribe(options))
        yield batch.filter((message) => message.kind !== 'event' || message.event.stream !== keyStream)
    },
  }
  const sources = { log: lossy, archive }
  await t.throwsAsync(collected(readHistory(sources)), { instanceOf: NotRetrieved })
  await t.throwsAsync(collected(readWallet(sources, walletId)), { instanceOf: NotRetrieved })
  await t.throwsAsync(collected(readStreamOf(sources, keyStream)), { instanceOf: NotRetrieved })
})
