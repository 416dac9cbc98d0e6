import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { type Build, collectionOf } from '../../domain/ports/projections.ts'
import type { Projection } from '../../projections/projection.ts'
import { until } from '../end-to-end/system.ts'
import { activeAt, append, type Database, employ, openWorkplace } from './workplace.ts'

// One after the other: each has servers of its own, and waits for seconds to pass.

const WITHIN_MS = 20_000

/** How many events each stream has, and their numbers in order. */
const tallies: Projection = {
  name: 'tallies',
  version: 1,
  collections: ['tallies'],
  indexes: [],
  acrossStreams: false,
  apply({ stream, revision, data }) {
    const { n } = data as unknown as { n: number }
    if (n < 0) throw new RangeError('negative')
    return [{ collection: 'tallies', id: stream, create: revision === 0n, increment: { events: 1 }, push: { numbers: n } }]
  },
}

const happened = (n: number) => ({ data: { n } })

async function tally(database: Database, stream: string, build?: Build): Promise<Document | undefined> {
  const { active, building } = await database.projections.builds('tallies')
  const read = build ?? active ?? building
  return read && database.documents.get(collectionOf(read, 'tallies'), stream)
}

const reached = (database: Database, position: bigint, projection: Pick<Projection, 'name'> = tallies) =>
  until(() => activeAt(database, projection, position), `${projection.name} to be at ${position}`, WITHIN_MS)

test.serial('a read model follows the log, and another worker goes on from its checkpoint', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const first = employ(t, workplace, database, { projections: [tallies] })
  await reached(database, await append(workplace.log, 'wallet-1', [happened(1), happened(2)]))
  await first.close()
  const position = await append(workplace.log, 'wallet-1', [happened(3)])
  let after: bigint | undefined
  const log: EventLog = {
    ...workplace.log,
    subscribe(options) {
      after = options.after
      return workplace.log.subscribe(options)
    },
  }
  employ(t, { ...workplace, log }, database, { projections: [tallies] })
  await reached(database, position)
  t.true(after !== undefined && after > 0n)
  t.like(await tally(database, 'wallet-1'), { events: 3, numbers: [1, 2, 3] })
})

test.serial('of what cannot be applied the stream is held and shown, and everything else goes on', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const strange = [null, 'a secret', 7, [], { n: -1 }, { $set: { n: 1 } }]
  for (const [i, data] of strange.entries()) await append(workplace.log, `wallet-strange-${i}`, [{ data }, happened(1)])
  const position = await append(workplace.log, 'wallet-1', [happened(1)])
  const worker = employ(t, workplace, database, { projections: [tallies] })
  const build = await reached(database, position)
  t.like(await tally(database, 'wallet-1'), { events: 1 })
  const parked = await until(
    async () => {
      const all = await database.projections.parked(build)
      return all.every(({ held }) => held === 1) && all
    },
    'what is held to be counted',
    WITHIN_MS,
  )
  // Numbers and arrays have no `n`, and an undefined one is not less than 0.
  t.deepEqual(
    parked.map(({ stream }) => stream),
    ['wallet-strange-0', 'wallet-strange-4'],
  )
  t.like(parked[1], { projection: 'tallies', build: build.id, revision: '0', type: 'Happened', held: 1 })
  t.regex(parked[1]!.error, /^RangeError at /)
  t.is(worker.report().builds[0]?.parked, 2)
  await append(workplace.log, 'wallet-strange-4', [happened(2)])
  await reached(database, await append(workplace.log, 'wallet-1', [happened(2)]))
  t.is(await tally(database, 'wallet-strange-4'), undefined)
  t.like(await tally(database, 'wallet-1'), { events: 2 })
})

test.serial('a write that is refused is found among those of its batch', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const fragile: Projection = {
    ...tallies,
    apply: (event) => tallies.apply(event).map((write) => ({ ...write, create: write.create && event.stream !== 'wallet-37' })),
  }
  let position = -1n
  for (let i = 0; i < 80; i++) position = await append(workplace.log, `wallet-${i}`, [happened(i), happened(i)])
  employ(t, workplace, database, { projections: [fragile] })
  const build = await reached(database, position)
  t.deepEqual(
    (await database.projections.parked(build)).map(({ stream, error }) => [stream, error]),
    [['wallet-37', 'document_missing']],
  )
  t.is((await database.read(build, 'tallies')).length, 79)
  t.true((await database.read(build, 'tallies')).every(({ events }) => events === 2))
})

test.serial('a parked event is tried again when that is asked for, with all that waited behind it', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  let isFixed = false
  const fixable: Projection = {
    ...tallies,
    apply(event) {
      if (!isFixed && event.revision === 1n) throw new Error('not yet')
      return tallies.apply(event)
    },
  }
  const workers = [1, 2].map(() => employ(t, workplace, database, { projections: [fixable] }))
  const build = await reached(database, await append(workplace.log, 'wallet-1', [happened(1), happened(2), happened(3)]))
  const isParked = async () => (await database.projections.parked(build)).length === 1
  await until(isParked, 'the event to be parked', WITHIN_MS)
  isFixed = true
  await append(workplace.log, 'wallet-1', [happened(4)])
  t.true(await database.projections.requestRetry(build, 'wallet-1'))
  await until(async () => !(await isParked()), 'the stream to be released', WITHIN_MS)
  await reached(database, await append(workplace.log, 'wallet-1', [happened(5)]))
  t.like(await tally(database, 'wallet-1'), { events: 5, numbers: [1, 2, 3, 4, 5] })
  await until(async () => workers.every((worker) => worker.report().builds[0]?.parked === 0), 'the reports', WITHIN_MS)
})

test.serial('with too many streams held a build stops and says so, and the others go on', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const hopeless: Projection = {
    ...tallies,
    name: 'hopeless',
    apply() {
      throw new Error('never')
    },
  }
  let position = -1n
  for (let i = 0; i < 120; i++) position = await append(workplace.log, `wallet-${i}`, [happened(i)])
  const worker = employ(t, workplace, database, { projections: [tallies, hopeless] })
  await reached(database, position)
  const failure = await until(
    async () => worker.report().builds.find(({ projection }) => projection === 'hopeless')?.failure,
    'the build to give up',
    WITHIN_MS,
  )
  t.is(failure, 'events of 100 streams cannot be applied')
  const { building } = await database.projections.builds('hopeless')
  t.is((await database.projections.parked(building!)).length, 100)
  await reached(database, await append(workplace.log, 'wallet-1', [happened(0)]))
})

test.serial('a new version is built beside the old one, takes over when it has caught up, and the old one is dropped', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const position = await append(workplace.log, 'wallet-1', [happened(1), happened(2)])
  const old = employ(t, workplace, database, { projections: [tallies], graceMs: 0 })
  const first = await reached(database, position)
  let mayGoOn = () => {}
  const goOn = new Promise<void>((resolve) => {
    mayGoOn = resolve
  })
  const next: Projection = {
    ...tallies,
    version: 2,
    apply: (event) => tallies.apply(event).map((write) => ({ ...write, set: { shape: 'new' } })),
  }
  const slow: Documents = {
    ...database.documents,
    async apply(batch) {
      await goOn
      await database.documents.apply(batch)
    },
  }
  employ(t, workplace, { ...database, documents: slow }, { projections: [next], graceMs: 0 })
  await until(async () => (await database.projections.builds('tallies')).building?.version === 2, 'the new build', WITHIN_MS)
  const later = await append(workplace.log, 'wallet-1', [happened(3)])
  t.is((await reached(database, later)).id, first.id, 'readers are served by the old one meanwhile')
  t.like(await tally(database, 'wallet-1'), { events: 3, numbers: [1, 2, 3] })
  mayGoOn()
  const second = await until(
    async () => (await database.projections.builds('tallies')).active?.version === 2,
    'the take-over',
    WITHIN_MS,
  ).then(() => reached(database, later))
  t.like(await tally(database, 'wallet-1'), { events: 3, numbers: [1, 2, 3], shape: 'new' })
  await until(async () => (await tally(database, 'wallet-1', first)) === undefined, 'the old documents to be dropped', WITHIN_MS)
  t.truthy(await tally(database, 'wallet-1', second))
  await old.close()
})

test.serial('an older worker leaves alone what a newer one has made', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const newer = await database.projections.begin('tallies', 2)
  await database.projections.activate(newer)
  const worker = employ(t, workplace, database, { projections: [tallies, { ...tallies, name: 'others', collections: ['others'] }] })
  await reached(database, -1n, { name: 'others' })
  t.deepEqual(await database.projections.builds('tallies'), { active: newer, building: undefined })
  t.deepEqual(
    worker.report().builds.map(({ projection }) => projection),
    ['others'],
  )
})

test.serial('a read model that an operator has built anew takes over, and tells how far it is', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const position = await append(workplace.log, 'wallet-1', [happened(1), happened(2)])
  const worker = employ(t, workplace, database, { projections: [tallies] })
  const first = await reached(database, position)
  const second = await database.projections.begin('tallies', 1)
  workplace.messages.publish('quorate.projections.look', new Uint8Array())
  await until(async () => (await database.projections.builds('tallies')).active?.id === second.id, 'the take-over', WITHIN_MS)
  t.not(second.id, first.id)
  t.like(await tally(database, 'wallet-1'), { events: 2 })
  const told = await until(
    async () => worker.report().builds.find(({ role, build }) => role === 'active' && build === second.id),
    'the report',
  )
  t.like(told, { projection: 'tallies', version: 1, position: String(position), events: 2, lagEvents: 0, parked: 0, failure: null })
  t.is(told.partitions.length, 16)
})

test.serial('documents that are lost are made anew', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const position = await append(workplace.log, 'wallet-1', [happened(1), happened(2)])
  employ(t, workplace, database, { projections: [tallies] })
  const first = await reached(database, position)
  await database.drop()
  const second = await reached(database, position)
  t.not(second.id, first.id)
  t.like(await tally(database, 'wallet-1'), { events: 2, numbers: [1, 2] })
  await reached(database, await append(workplace.log, 'wallet-1', [happened(3)]))
  t.like(await tally(database, 'wallet-1'), { events: 3 })
})

test.serial('workers share the partitions, and those of one that is gone are taken over', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const workers = [1, 2, 3].map(() => employ(t, workplace, database, { projections: [tallies] }))
  const shares = () => workers.map((worker) => worker.report().builds[0]?.partitions.length ?? 0)
  const isShared = async (among: number) => {
    const counts = shares().slice(0, among)
    return counts.every((count) => count > 0 && count < 16) && counts.reduce((a, b) => a + b) === 16
  }
  await until(() => isShared(3), 'three to share', WITHIN_MS)
  const events = Array.from({ length: 40 }, (_, i) => i)
  for (const i of events) await append(workplace.log, `wallet-${i}`, [happened(1)])
  await workers[2]!.close()
  await until(() => isShared(2), 'two to share', WITHIN_MS)
  let position = -1n
  for (const i of events) position = await append(workplace.log, `wallet-${i}`, [happened(2)])
  const build = await reached(database, position)
  const documents = await database.read(build, 'tallies')
  t.is(documents.length, 40)
  t.true(documents.every((document) => String(document.numbers) === '1,2'))
})

test.serial('a worker that goes without a word is missed', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  let isThere = true
  const messages = {
    ...workplace.messages,
    publish: (subject: string, payload: Uint8Array) => isThere && workplace.messages.publish(subject, payload),
  }
  const lost = employ(t, { ...workplace, messages }, database, { projections: [tallies] })
  const left = employ(t, workplace, database, { projections: [tallies] })
  const partitions = () => left.report().builds[0]?.partitions.length ?? 0
  await until(async () => partitions() > 0 && partitions() < 16, 'the two to share', WITHIN_MS)
  isThere = false
  const silentSince = Date.now()
  await lost.close()
  await until(async () => partitions() === 16, 'the other to be alone', WITHIN_MS)
  t.true(Date.now() - silentSince < 10_000)
})

test.serial('those who wait are told once per document and batch, of what they can read', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const told: { subject: string; position: bigint; build?: string; partitions?: number[] }[] = []
  workplace.messages.subscribe('quorate.projection.>', (payload, subject) => {
    const { position, ...rest } = JSON.parse(Buffer.from(payload).toString())
    told.push({ subject: subject.slice('quorate.projection.'.length), position: BigInt(position), ...rest })
  })
  await workplace.messages.ping()
  let old = -1n
  for (let i = 0; i < 60; i++)
    old = await append(
      workplace.log,
      `wallet-old-${i}`,
      Array.from({ length: 50 }, (_, n) => happened(n)),
    )
  employ(t, workplace, database, { projections: [tallies] })
  const build = await reached(database, old)
  t.true(told.filter(({ subject }) => subject !== 'tallies').length < 40, 'nobody waits for the documents of a build that is catching up')
  const position = await append(
    workplace.log,
    'wallet-1',
    Array.from({ length: 50 }, (_, i) => happened(i)),
  )
  const progress = await until(
    async () => told.find((each) => each.subject === 'tallies' && each.position >= position),
    'the progress',
    WITHIN_MS,
  )
  t.is(progress.build, build.id)
  t.is(progress.partitions?.length, 16)
  const changes = told.filter(({ subject }) => subject === 'tallies.wallet-1')
  t.is(changes.at(-1)?.position, position)
  t.true(changes.length < 25, `${changes.length} messages about 50 events in a row`)
})

test.serial('a slow store slows the reading, and little is held meanwhile', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  let position = -1n
  for (let i = 0; i < 10; i++)
    position = await append(
      workplace.log,
      `wallet-${i}`,
      Array.from({ length: 500 }, (_, n) => happened(n)),
    )
  let read = 0
  let applied = 0
  let most = 0
  const log: EventLog = {
    ...workplace.log,
    async *subscribe(options) {
      for await (const batch of workplace.log.subscribe(options)) {
        read += batch.length
        most = Math.max(most, read - applied)
        yield batch
      }
    },
  }
  const documents: Documents = {
    ...database.documents,
    async apply(batch) {
      await delay(100)
      await database.documents.apply(batch)
      applied += batch.length
    },
  }
  employ(t, { ...workplace, log }, { ...database, documents }, { projections: [tallies] })
  await reached(database, position)
  t.true(most <= 3_200, `${most} events were held`)
})
