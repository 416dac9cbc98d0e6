import { randomUUID } from 'node:crypto'
import { connect as connectSocket } from 'node:net'
import type { TestFn } from 'ava'
import fc from 'fast-check'
import { Binary, Long, MongoBulkWriteError, MongoServerError, ObjectId } from 'mongodb'
import { DocumentMissing, type Documents, type GuardedWrite, WriteRefused } from '../../domain/ports/documents.ts'
import { type Build, BuildGone, BuildUnderWay, collectionOf, type ParkedEvent } from '../../domain/ports/projections.ts'
import type { Check, DocumentsServer } from './documents-fixture.ts'
import { semanticsContract } from './documents-semantics.ts'

type Batch = { position: bigint; writes: GuardedWrite[] }[]

/** What Quorate relies on, of its own port and of MongoDB itself; any server must pass. */
export function documentsContract(test: TestFn, connect: () => Promise<DocumentsServer>): void {
  let server: DocumentsServer | undefined
  test.before(async (t) => {
    server = await connect()
    t.log(`answered by ${server.description}`)
  })

  test.after.always(() => server?.close())

  /** Each test has a collection of its own. */
  const freshName = (): string => `c${randomUUID().replaceAll('-', '')}`

  const current = (): DocumentsServer => server!

  const check: Check = (title, run) => {
    // One after another: with eighty at once, on a busy machine, the last one waits longer than a client does.
    test.serial(title, async (t) => {
      const { lacks, documents, projections, database } = current()
      const reason = lacks.get(title)
      if (reason !== undefined) {
        t.log(`skipped: ${reason}`)
        t.pass()
        return
      }
      const name = freshName()
      await run(t, { name, documents, projections, collection: database.collection(name) })
    })
  }

  portContract(check)
  projectionStoreContract(check)
  wireContract(check, current)
  semanticsContract(check, current)
}

/** Guards, repetitions, order, checkpoints: the promises of `domain/ports/documents.ts`. */
function portContract(check: Check): void {
  const create = (collection: string, id: string, write: Partial<GuardedWrite>): GuardedWrite => ({
    collection,
    id,
    create: true,
    ...write,
  })
  const change = (collection: string, id: string, write: Partial<GuardedWrite>): GuardedWrite => ({
    collection,
    id,
    create: false,
    ...write,
  })

  check('a document is made with its fields and its position', async (t, { name, documents }) => {
    await documents.apply([{ position: 7n, writes: [create(name, 'a', { set: { 'owner.name': 'Ada', tags: [] }, increment: { n: 2 } })] }])
    t.deepEqual(await documents.get(name, 'a'), { _id: 'a', owner: { name: 'Ada' }, tags: [], n: 2, position: 7 })
    t.is(await documents.get(name, 'b'), undefined)
  })

  check('a repeated batch changes nothing', async (t, { name, documents }) => {
    const batch = [{ position: 1n, writes: [create(name, 'a', { increment: { n: 1 }, push: { list: 'x' } })] }]
    await documents.apply(batch)
    await documents.apply(batch)
    t.deepEqual(await documents.get(name, 'a'), { _id: 'a', n: 1, list: ['x'], position: 1 })
  })

  check('an older write comes too late', async (t, { name, documents }) => {
    await documents.apply([{ position: 5n, writes: [create(name, 'a', { set: { v: 'new' } })] }])
    await documents.apply([{ position: 4n, writes: [create(name, 'a', { set: { v: 'old' }, increment: { n: 1 } })] }])
    t.deepEqual(await documents.get(name, 'a'), { _id: 'a', v: 'new', position: 5 })
  })

  check('of a batch that overlaps an older one only the new part takes effect', async (t, { name, documents }) => {
    const step = (position: bigint) => ({ position, writes: [create(name, 'a', { increment: { n: 1 } })] })
    await documents.apply([step(1n), step(2n)])
    await documents.apply([step(1n), step(2n), step(3n)])
    t.deepEqual(await documents.get(name, 'a'), { _id: 'a', n: 3, position: 3 })
  })

  check('several writes to one document at one position all take effect, in order', async (t, { name, documents }) => {
    const writes = [
      create(name, 'a', { set: { balance: { eth: 1 }, log: ['opened'] } }),
      change(name, 'a', { increment: { 'balance.eth': 4, 'balance.btc': 2 } }),
      change(name, 'a', { push: { log: 'deposit' } }),
      change(name, 'a', { set: { status: 'open' }, increment: { 'balance.btc': -1 }, push: { log: 'fee' } }),
    ]
    await documents.apply([{ position: 9n, writes }])
    const expected = { _id: 'a', balance: { eth: 5, btc: 1 }, log: ['opened', 'deposit', 'fee'], status: 'open', position: 9 }
    t.deepEqual(await documents.get(name, 'a'), expected)
  })

  check('several positions of one document in one batch all take effect', async (t, { name, documents }) => {
    const batch: Batch = Array.from({ length: 300 }, (_, i) => ({
      position: BigInt(i + 1),
      writes: [create(name, `d${i % 3}`, { set: { last: i }, increment: { n: 1 } })],
    }))
    await documents.apply(batch)
    t.deepEqual(await documents.get(name, 'd2'), { _id: 'd2', n: 100, last: 299, position: 300 })
  })

  check('a change to a document that is not there is an error, not silence', async (t, { name, documents }) => {
    const error = await t.throwsAsync(documents.apply([{ position: 3n, writes: [change(name, 'gone', { set: { v: 1 } })] }]), {
      instanceOf: DocumentMissing,
    })
    t.deepEqual([error.collection, error.id], [name, 'gone'])
  })

  check('a late change to a document that moved on is not an error', async (t, { name, documents }) => {
    await documents.apply([{ position: 5n, writes: [create(name, 'a', { set: { v: 1 } })] }])
    await t.notThrowsAsync(documents.apply([{ position: 4n, writes: [change(name, 'a', { set: { v: 0 } })] }]))
  })

  check('breaking a unique index is an error', async (t, { name, documents }) => {
    await documents.ensureIndexes([{ collection: name, fields: { email: 1 }, unique: true }])
    await documents.apply([{ position: 1n, writes: [create(name, 'a', { set: { email: 'x@y' } })] }])
    const twice = documents.apply([{ position: 2n, writes: [create(name, 'b', { set: { email: 'x@y' } })] }])
    const refused = await t.throwsAsync(twice, { instanceOf: WriteRefused })
    t.deepEqual([refused.collection, refused.reason], [name, 'duplicate_key'])
    t.is(await documents.get(name, 'b'), undefined)
  })

  check(
    'a write that its document has no place for is refused, and the others of the batch are not lost',
    async (t, { name, documents }) => {
      await documents.apply([
        { position: 1n, writes: [create(name, 'a', { set: { name: 'text' } }), create(name, 'b', { set: { n: 1 } })] },
      ])
      const batch = [
        { position: 2n, writes: [change(name, 'a', { increment: { name: 1 } })] },
        { position: 3n, writes: [change(name, 'b', { increment: { n: 1 } })] },
      ]
      await t.throwsAsync(documents.apply(batch), { instanceOf: WriteRefused })
      await documents.apply(batch.slice(1))
      t.deepEqual(
        [await documents.get(name, 'a'), await documents.get(name, 'b')],
        [
          { _id: 'a', name: 'text', position: 1 },
          { _id: 'b', n: 2, position: 3 },
        ],
      )
    },
  )

  check('a document larger than any can be is refused', async (t, { name, documents }) => {
    const large = documents.apply([{ position: 1n, writes: [create(name, 'a', { set: { text: 'x'.repeat(17 * 1024 * 1024) } })] }])
    await t.throwsAsync(large, { instanceOf: WriteRefused })
    t.is(await documents.get(name, 'a'), undefined)
  })

  check('a position beyond the safe integers is refused', async (t, { name, documents }) => {
    const batch = [{ position: 2n ** 53n, writes: [create(name, 'a', {})] }]
    await t.throwsAsync(documents.apply(batch), { instanceOf: RangeError })
    t.is(await documents.get(name, 'a'), undefined)
  })

  check('documents are found by equality, in order, and page by page', async (t, { name, documents }) => {
    await documents.ensureIndexes([{ collection: name, fields: { tenant: 1, at: -1 } }])
    const writes = Array.from({ length: 25 }, (_, i) => create(name, `d${i}`, { set: { tenant: i % 2 ? 'odd' : 'even', at: i } }))
    await documents.apply([{ position: 1n, writes }])
    const page = { where: { tenant: 'odd' }, by: 'at', limit: 5 } as const
    const at = async (options: Parameters<Documents['find']>[1]) => (await documents.find(name, options)).map((document) => document.at)
    t.deepEqual(await at({ ...page, direction: 'desc' }), [23, 21, 19, 17, 15])
    t.deepEqual(await at({ ...page, direction: 'desc', beyond: 15 }), [13, 11, 9, 7, 5])
    t.deepEqual(await at({ ...page, direction: 'asc', beyond: 15 }), [17, 19, 21, 23])
    t.deepEqual(await at({ ...page, where: { tenant: 'none' }, direction: 'asc' }), [])
  })

  check('a value with operators in it is compared with, not run', async (t, { name, documents }) => {
    await documents.apply([{ position: 1n, writes: [create(name, 'a', { set: { secret: 'x', at: 1 } })] }])
    t.deepEqual(await documents.find(name, { where: { secret: { $ne: null } }, by: 'at', direction: 'asc', limit: 5 }), [])
  })

  check(
    'whatever is repeated or delayed, and whoever else writes it, the documents are those of one pass',
    async (t, { name, documents }) => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(logs, deliveries, deliveries, async (log, ones, others) => {
          const [once, often] = [`${name}_${run}_once`, `${name}_${run++}_often`]
          await documents.apply(batchOf(log, once))
          await Promise.all([deliver(documents, batchOf(log, often), ones), deliver(documents, batchOf(log, often), others)])
          t.deepEqual(await everything(documents, often), await everything(documents, once))
        }),
        { numRuns: 25 },
      )
    },
  )
}

/** Builds, checkpoints and parked events: the promises of `domain/ports/projections.ts`. */
function projectionStoreContract(check: Check): void {
  const at = (position: bigint, events = Number(position)) => ({ position, events })
  const advance = (partition: number, position: bigint, parkings = 0) => ({
    checkpoints: new Map([[partition, at(position)]]),
    held: new Map<string, bigint>(),
    parkings,
  })
  const event = (build: Build, stream: string, revision: number): ParkedEvent => ({
    build: build.id,
    projection: build.projection,
    stream,
    revision: String(revision),
    position: String(revision * 10),
    type: 'WalletCreated',
    error: 'event_unreadable',
    parkedAt: '2026-01-01T00:00:00.000Z',
    held: 0,
  })

  check('a projection has no build until one is begun, and one in the making at a time', async (t, { name, projections }) => {
    t.deepEqual(await projections.builds(name), { active: undefined, building: undefined })
    const build = await projections.begin(name, 1)
    t.like(build, { projection: name, version: 1 })
    t.deepEqual(await projections.builds(name), { active: undefined, building: build })
    const error = await t.throwsAsync(projections.begin(name, 1), { instanceOf: BuildUnderWay })
    t.deepEqual(error.build, build)
  })

  check('of those who begin a build at the same time one does', async (t, { name, projections }) => {
    const begun = await Promise.allSettled(Array.from({ length: 5 }, () => projections.begin(name, 1)))
    t.is(begun.filter(({ status }) => status === 'fulfilled').length, 1)
    t.true(begun.every((outcome) => outcome.status === 'fulfilled' || outcome.reason instanceof BuildUnderWay))
  })

  check('a build of a newer version takes the place of one in the making', async (t, { name, projections }) => {
    const old = await projections.begin(name, 1)
    const next = await projections.begin(name, 2)
    t.deepEqual((await projections.builds(name)).building, next)
    await t.throwsAsync(projections.state(old), { instanceOf: BuildGone })
    await t.throwsAsync(projections.advance(old, advance(0, 1n)), { instanceOf: BuildGone })
    await t.throwsAsync(projections.activate(old), { instanceOf: BuildGone })
    await t.throwsAsync(projections.begin(name, 1), { instanceOf: BuildUnderWay })
  })

  check('a build takes over from the one that was active', async (t, { name, projections }) => {
    const first = await projections.begin(name, 1)
    await projections.activate(first)
    const second = await projections.begin(name, 1)
    t.not(second.id, first.id)
    t.deepEqual(await projections.builds(name), { active: first, building: second })
    await projections.activate(second)
    await projections.activate(second)
    t.deepEqual(await projections.builds(name), { active: second, building: undefined })
    await t.throwsAsync(projections.checkpoints(first), { instanceOf: BuildGone })
  })

  check('checkpoints move forwards, never back, each partition for itself', async (t, { name, projections }) => {
    const build = await projections.begin(name, 1)
    t.deepEqual([...(await projections.checkpoints(build))], [])
    t.true(
      await projections.advance(build, {
        ...advance(3, 20n),
        checkpoints: new Map([
          [3, at(20n)],
          [4, at(7n)],
        ]),
      }),
    )
    t.true(
      await projections.advance(build, {
        ...advance(3, 10n),
        checkpoints: new Map([
          [3, at(10n)],
          [4, at(9n)],
        ]),
      }),
    )
    t.deepEqual((await projections.checkpoints(build)).get(3), at(20n))
    t.deepEqual((await projections.checkpoints(build)).get(4), at(9n))
  })

  check('whoever does not know what is parked cannot move a checkpoint', async (t, { name, projections }) => {
    const build = await projections.begin(name, 1)
    await projections.park(event(build, 'wallet-1', 5))
    t.false(await projections.advance(build, advance(0, 100n)))
    const { parkings, parked, checkpoints } = await projections.state(build)
    t.deepEqual([...checkpoints], [])
    t.deepEqual(parked, [event(build, 'wallet-1', 5)])
    t.true(await projections.advance(build, { ...advance(0, 100n, parkings), held: new Map([['wallet-1', 9n]]) }))
    t.is((await projections.parked(build))[0]?.held, 4)
  })

  check('of a stream the first event that was in the way is parked', async (t, { name, projections }) => {
    const build = await projections.begin(name, 1)
    for (const [stream, revision] of [
      ['wallet-b', 7],
      ['wallet-a', 9],
      ['wallet-b', 5],
      ['wallet-b', 6],
    ] as const)
      await projections.park(event(build, stream, revision))
    const parked = await projections.parked(build)
    t.deepEqual(
      parked.map(({ stream, revision }) => [stream, revision]),
      [
        ['wallet-b', '5'],
        ['wallet-a', '9'],
      ],
    )
    t.is(parked[0]?.held, 2, 'what was known to be held still is')
  })

  check('a stream is released only by who has applied all that was held of it', async (t, { name, projections }) => {
    const build = await projections.begin(name, 1)
    t.false(await projections.requestRetry(build, 'wallet-1'))
    await projections.park(event(build, 'wallet-1', 5))
    t.true(await projections.requestRetry(build, 'wallet-1'))
    const [parked] = await projections.parked(build)
    t.truthy(parked?.retryRequestedAt)
    const { parkings } = await projections.state(build)
    await projections.advance(build, { ...advance(0, 100n, parkings), held: new Map([['wallet-1', 8n]]) })
    t.false(await projections.unpark(parked!, 7n))
    t.is((await projections.parked(build)).length, 1)
    t.true(await projections.unpark(parked!, 8n))
    t.deepEqual(await projections.parked(build), [])
    t.false(await projections.advance(build, advance(0, 200n, parkings)))
    t.false(await projections.unpark(parked!, 9n))
  })

  check('when a later event is in the way now, that one is parked', async (t, { name, projections }) => {
    const build = await projections.begin(name, 1)
    await projections.park(event(build, 'wallet-1', 5))
    await projections.requestRetry(build, 'wallet-1')
    const [parked] = await projections.parked(build)
    t.true(await projections.repark(parked!, event(build, 'wallet-1', 8)))
    t.deepEqual(await projections.parked(build), [event(build, 'wallet-1', 8)])
    t.false(await projections.repark(parked!, event(build, 'wallet-1', 9)))
  })

  check('streams may have any name', async (t, { name, projections }) => {
    const build = await projections.begin(name, 1)
    const streams = ['wallet-$.a.b', 'wallet-\u0000', 'wallet-\u{1f511}', `wallet-${'x'.repeat(2_000)}`]
    for (const stream of streams) await projections.park(event(build, stream, 1))
    t.deepEqual((await projections.parked(build)).map(({ stream }) => stream).sort(), [...streams].sort())
  })

  check('what is left of builds out of use is dropped, and nothing else', async (t, { name, projections, documents, collection }) => {
    const written = async (build: Build) => {
      const physical = collectionOf(build, name)
      await documents.apply([{ position: 1n, writes: [{ collection: physical, id: 'a', create: true }] }])
      return async () => (await documents.get(physical, 'a')) !== undefined
    }
    const first = await projections.begin(name, 1)
    const hasFirst = await written(first)
    await projections.activate(first)
    const hasSecond = await written(await projections.begin(name, 1))
    await collection.insertOne({ _id: 'a' })
    await projections.dropRetired(name, [name])
    t.deepEqual([await hasFirst(), await hasSecond()], [true, true])
    await projections.activate((await projections.builds(name)).building!)
    await projections.dropRetired(name, [name])
    t.deepEqual([await hasFirst(), await hasSecond()], [false, true])
    t.is(await collection.countDocuments({}), 1)
  })

  check('of a build whose data are lost everybody is told', async (t, { name, projections, collection }) => {
    const build = await projections.begin(name, 1)
    await collection.db.collection<{ _id: string }>('builds').deleteOne({ _id: name })
    t.deepEqual(await projections.builds(name), { active: undefined, building: undefined })
    await t.throwsAsync(projections.advance(build, advance(0, 1n)), { instanceOf: BuildGone })
    await t.throwsAsync(projections.park(event(build, 'wallet-1', 1)), { instanceOf: BuildGone })
    t.deepEqual(await projections.parked(build), [])
    t.not((await projections.begin(name, 1)).id, build.id)
  })
}

const IDS = ['a', 'b', 'c', 'd']
type Step = { id: string; kind: 'set' | 'increment' | 'push'; value: number }

/** Per position, one to three writes to few documents, so that they meet often. */
const logs = fc.array(
  fc.array(
    fc.record<Step>({
      id: fc.constantFrom(...IDS),
      kind: fc.constantFrom('set', 'increment', 'push'),
      value: fc.integer({ min: -9, max: 9 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  { minLength: 1, maxLength: 12 },
)

/** How a writer goes through the log: batches of some size, before each of which it may start again from somewhere earlier. */
const deliveries = fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), back: fc.integer({ min: 0, max: 8 }) }), { maxLength: 6 })

const WRITES: { [kind in Step['kind']]: (value: number) => Partial<GuardedWrite> } = {
  set: (value) => ({ set: { 'last.value': value } }),
  increment: (value) => ({ increment: { sum: value } }),
  push: (value) => ({ push: { list: value } }),
}

/** The first write of a document makes it, the others rely on it. */
function batchOf(log: readonly Step[][], collection: string): Batch {
  const known = new Set<string>()
  return log.map((steps, i) => ({
    position: BigInt(i * 10 + 1),
    writes: steps.map(({ id, kind, value }) => {
      const create = !known.has(id)
      known.add(id)
      return { collection, id, create, ...WRITES[kind](value) }
    }),
  }))
}

async function deliver(documents: Documents, batch: Batch, steps: readonly { size: number; back: number }[]): Promise<void> {
  let done = 0
  for (const { size, back } of steps) {
    const from = Math.max(0, done - back)
    await documents.apply(batch.slice(from, from + size))
    done = Math.max(done, Math.min(batch.length, from + size))
  }
  await documents.apply(batch.slice(done))
}

const everything = (documents: Documents, collection: string) => Promise.all(IDS.map((id) => documents.get(collection, id)))

/** MongoDB itself, as far as Quorate and its tools use it, through the official driver. */
function wireContract(check: Check, server: () => DocumentsServer): void {
  check('values come back as they were', async (t, { collection }) => {
    const value = {
      _id: new ObjectId(),
      text: 'ünïcode \u{1f511}',
      empty: '',
      nothing: null,
      yes: true,
      fraction: 1.5,
      negative: -3,
      when: new Date('2024-05-06T07:08:09.010Z'),
      bytes: new Binary(Buffer.from([0, 1, 254, 255])),
      big: Long.fromString('9223372036854775807'),
      nested: { list: [1, 'two', { three: [4] }], none: [] },
    }
    await collection.insertOne(value)
    t.deepEqual(await collection.findOne({ _id: value._id }), value)
  })

  check('64-bit integers compare with other numbers, and keep all their digits', async (t, { collection }) => {
    const big = Long.fromString('9007199254740993')
    await collection.insertMany([
      { _id: 1, n: big },
      { _id: 2, n: 5 },
      { _id: 3, n: Long.fromNumber(7) },
    ])
    const ids = async (filter: object) => (await collection.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
    t.deepEqual(await ids({ n: { $gt: 6 } }), [1, 3])
    t.deepEqual(await ids({ n: 7 }), [3])
    t.deepEqual(await ids({ n: big }), [1])
    await collection.updateOne({ _id: 1 }, { $inc: { n: 2 } })
    t.is(String((await collection.findOne({ _id: 1 }))?.n), '9007199254740995')
  })

  check('filters select by comparison, membership, existence and null', async (t, { collection }) => {
    await collection.insertMany([
      { _id: 1, n: 1, tag: 'x' },
      { _id: 2, n: 2, tag: null },
      { _id: 3, n: 3 },
      { _id: 4, n: '4', tags: ['x', 'y'] },
    ])
    const ids = async (filter: object) => (await collection.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
    t.deepEqual(await ids({ n: { $gte: 2, $lt: 9 } }), [2, 3])
    t.deepEqual(await ids({ n: { $in: [1, '4'] } }), [1, 4])
    t.deepEqual(await ids({ n: { $nin: [1, 2] } }), [3, 4])
    t.deepEqual(await ids({ tag: null }), [2, 3, 4])
    t.deepEqual(await ids({ tag: { $exists: true } }), [1, 2])
    t.deepEqual(await ids({ tags: 'y' }), [4])
    t.deepEqual(await ids({ $or: [{ n: 1 }, { tags: 'x' }] }), [1, 4])
    t.deepEqual(await ids({ tag: { $ne: 'x' } }), [2, 3, 4])
  })

  check('sort, skip, limit and projection shape what is found', async (t, { collection }) => {
    await collection.insertMany([
      { _id: 1, a: 2, b: 1 },
      { _id: 2, a: 1, b: 2 },
      { _id: 3, a: 2, b: 2 },
      { _id: 4, b: 9 },
    ])
    const found = await collection
      .find({}, { projection: { b: 1, _id: 0 } })
      .sort({ a: -1, b: -1 })
      .skip(1)
      .limit(3)
      .toArray()
    t.deepEqual(found as object[], [{ b: 1 }, { b: 2 }, { b: 9 }])
    t.deepEqual(await collection.findOne({ _id: 4 }, { projection: { b: 0 } }), { _id: 4 })
  })

  check('update operators change fields in place', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, n: 1, low: 5, high: 5, list: [1, 2], set: ['a'], gone: true })
    const { matchedCount, modifiedCount } = await collection.updateOne({ _id: 1 }, {
      $set: { 'deep.er': 'x' },
      $inc: { n: 2, fresh: 1 },
      $min: { low: 3 },
      $max: { high: 4 },
      $push: { list: { $each: [3, 4] } },
      $addToSet: { set: 'a' },
      $unset: { gone: '' },
      $setOnInsert: { never: true },
    } as object)
    t.deepEqual([matchedCount, modifiedCount], [1, 1])
    const expected = { _id: 1, n: 3, low: 3, high: 5, list: [1, 2, 3, 4], set: ['a'], deep: { er: 'x' }, fresh: 1 }
    t.deepEqual(await collection.findOne({ _id: 1 }), expected)
    await collection.updateOne({ _id: 1 }, { $pull: { list: 3 } } as object)
    t.deepEqual((await collection.findOne({ _id: 1 }))?.list, [1, 2, 4])
    t.is((await collection.updateOne({ _id: 1 }, { $set: { n: 3 } })).modifiedCount, 0)
  })

  check('a pull can take a condition', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, list: [1, 2, 3, 4] })
    await collection.updateOne({ _id: 1 }, { $pull: { list: { $gte: 3 } } } as object)
    t.deepEqual((await collection.findOne({ _id: 1 }))?.list, [1, 2])
  })

  check('a push can keep an array sorted and bounded', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, list: [{ n: 5 }, { n: 1 }] })
    await collection.updateOne({ _id: 1 }, { $push: { list: { $each: [{ n: 9 }, { n: 3 }], $sort: { n: 1 }, $slice: -3 } } } as object)
    t.deepEqual((await collection.findOne({ _id: 1 }))?.list, [{ n: 3 }, { n: 5 }, { n: 9 }])
  })

  check('an update that cannot be is refused and changes nothing', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, text: 'x' })
    await t.throwsAsync(collection.updateOne({ _id: 1 }, { $inc: { text: 1 } }), { instanceOf: MongoServerError, code: 14 })
    await t.throwsAsync(collection.updateOne({ _id: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }), { instanceOf: MongoServerError, code: 40 })
    await t.throwsAsync(collection.updateOne({ _id: 1 }, { $set: { _id: 2 } }), { instanceOf: MongoServerError, code: 66 })
    t.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, text: 'x' })
  })

  check('elements of arrays are updated by position', async (t, { collection }) => {
    await collection.insertOne({
      _id: 1,
      items: [
        { k: 'a', n: 1 },
        { k: 'b', n: 1 },
      ],
    })
    await collection.updateOne({ _id: 1, 'items.k': 'b' }, { $inc: { 'items.$.n': 5 } })
    t.deepEqual((await collection.findOne({ _id: 1 }))?.items, [
      { k: 'a', n: 1 },
      { k: 'b', n: 6 },
    ])
  })

  check('elements of arrays are updated by array filter', async (t, { collection }) => {
    await collection.insertOne({
      _id: 1,
      items: [
        { k: 'a', n: 1 },
        { k: 'b', n: 6 },
      ],
    })
    await collection.updateOne({ _id: 1 }, { $set: { 'items.$[big].n': 0 } }, { arrayFilters: [{ 'big.n': { $gt: 5 } }] })
    t.deepEqual((await collection.findOne({ _id: 1 }))?.items, [
      { k: 'a', n: 1 },
      { k: 'b', n: 0 },
    ])
  })

  check('an update can be a pipeline', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, a: 1, b: 2 })
    await collection.updateOne({ _id: 1 }, [{ $set: { sum: { $add: ['$a', '$b'] } } }])
    t.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, a: 1, b: 2, sum: 3 })
  })

  check('an upsert inserts what the filter and the update say', async (t, { collection }) => {
    const { upsertedId } = await collection.updateOne(
      { _id: 'k', kind: 'x' },
      { $inc: { n: 1 }, $setOnInsert: { first: true } },
      { upsert: true },
    )
    t.is(upsertedId as unknown, 'k')
    await collection.updateOne({ _id: 'k', kind: 'x' }, { $inc: { n: 1 }, $setOnInsert: { first: false } }, { upsert: true })
    t.deepEqual(await collection.findOne({ _id: 'k' }), { _id: 'k', kind: 'x', n: 2, first: true })
  })

  check('an upsert whose filter misses an existing document collides on _id', async (t, { collection }) => {
    await collection.insertOne({ _id: 'k', position: 5 })
    const late = collection.updateOne({ _id: 'k', position: { $lt: 3 } }, { $set: { position: 3 } }, { upsert: true })
    await t.throwsAsync(late, { instanceOf: MongoServerError, code: 11000 })
    t.deepEqual(await collection.findOne({ _id: 'k' }), { _id: 'k', position: 5 })
  })

  check('a replacement replaces everything but _id', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, a: 1, b: 2 })
    await collection.replaceOne({ _id: 1 }, { c: 3 })
    t.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, c: 3 })
  })

  check('find-and-modify answers with the document before or after', async (t, { collection }) => {
    await collection.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ])
    t.deepEqual(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 10 } }), { _id: 1, n: 1 })
    t.deepEqual(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 10 } }, { returnDocument: 'after' }), { _id: 1, n: 21 })
    t.deepEqual(await collection.findOneAndUpdate({}, { $set: { top: true } }, { sort: { n: -1 }, returnDocument: 'after' }), {
      _id: 1,
      n: 21,
      top: true,
    })
    t.deepEqual(await collection.findOneAndUpdate({ _id: 3 }, { $set: { n: 3 } }, { upsert: true, returnDocument: 'after' }), {
      _id: 3,
      n: 3,
    })
    t.deepEqual(await collection.findOneAndDelete({ _id: 2 }), { _id: 2, n: 2 })
    t.is(await collection.findOneAndUpdate({ _id: 2 }, { $set: { n: 0 } }), null)
  })

  check('find-and-modify answers with the fields asked for', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, n: 1, other: true })
    const found = await collection.findOneAndUpdate(
      { _id: 1 },
      { $inc: { n: 1 } },
      { returnDocument: 'after', projection: { n: 1, _id: 0 } },
    )
    t.deepEqual(found as object, { n: 2 })
  })

  check('many documents are updated and deleted at once', async (t, { collection }) => {
    await collection.insertMany(Array.from({ length: 10 }, (_, i) => ({ _id: i, even: i % 2 === 0 })))
    t.is((await collection.updateMany({ even: true }, { $set: { seen: { by: [] } } })).modifiedCount, 5)
    await collection.updateOne({ _id: 0 }, { $push: { 'seen.by': 'me' } } as object)
    t.deepEqual((await collection.findOne({ _id: 2 }))?.seen, { by: [] }, 'documents written by one update share nothing')
    t.is((await collection.deleteMany({ even: false })).deletedCount, 5)
    t.is(await collection.countDocuments({}), 5)
  })

  check('a unique index over several fields is enforced', async (t, { collection }) => {
    await collection.createIndex({ tenant: 1, name: 1 }, { unique: true })
    await collection.insertMany([
      { _id: 1, tenant: 'a', name: 'x' },
      { _id: 2, tenant: 'b', name: 'x' },
    ])
    await t.throwsAsync(collection.insertOne({ _id: 3, tenant: 'a', name: 'x' }), { instanceOf: MongoServerError, code: 11000 })
    await collection.deleteOne({ _id: 1 })
    await t.notThrowsAsync(collection.updateOne({ _id: 2 }, { $set: { tenant: 'a' } }))
  })

  check('an update that would break a unique index changes nothing', async (t, { collection }) => {
    await collection.createIndex({ name: 1 }, { unique: true })
    await collection.insertMany([
      { _id: 1, name: 'x' },
      { _id: 2, name: 'y' },
    ])
    await t.throwsAsync(collection.updateOne({ _id: 2 }, { $set: { name: 'x' } }), { instanceOf: MongoServerError, code: 11000 })
    t.deepEqual(await collection.findOne({ _id: 2 }), { _id: 2, name: 'y' })
  })

  check('a duplicate key error names the key', async (t, { collection }) => {
    await collection.createIndex({ email: 1 }, { unique: true })
    await collection.insertOne({ _id: 1, email: 'x@y' })
    const error = await t.throwsAsync(collection.insertOne({ _id: 2, email: 'x@y' }), { instanceOf: MongoServerError, code: 11000 })
    t.deepEqual([error.keyPattern, error.keyValue], [{ email: 1 }, { email: 'x@y' }])
  })

  check('a unique index cannot be made over duplicates', async (t, { collection }) => {
    await collection.insertMany([
      { _id: 1, k: 1 },
      { _id: 2, k: 1 },
    ])
    await t.throwsAsync(collection.createIndex({ k: 1 }, { unique: true }), { instanceOf: MongoServerError, code: 11000 })
    await t.notThrowsAsync(collection.createIndex({ k: 1 }))
  })

  check('indexes are listed, made again without harm, and dropped', async (t, { collection }) => {
    await collection.createIndex({ a: 1, b: -1 })
    t.is(await collection.createIndex({ a: 1, b: -1 }), 'a_1_b_-1')
    t.deepEqual((await collection.indexes()).map(({ name }) => name).sort(), ['_id_', 'a_1_b_-1'])
    await collection.dropIndex('a_1_b_-1')
    t.deepEqual(
      (await collection.indexes()).map(({ name }) => name),
      ['_id_'],
    )
  })

  check('equality, range and order on a compound index come from the index', async (t, { collection }) => {
    await collection.createIndex({ tenant: 1, at: -1 })
    await collection.insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: i, tenant: `t${i % 10}`, at: i })))
    const query = collection
      .find({ tenant: 't3', at: { $lt: 500 } })
      .sort({ at: -1 })
      .limit(4)
    t.deepEqual(
      (await query.clone().toArray()).map(({ at }) => at),
      [493, 483, 473, 463],
    )
    const { executionStats } = (await query.explain('executionStats')) as { executionStats?: { totalDocsExamined: number } }
    if (executionStats) t.is(executionStats.totalDocsExamined, 4)
    else t.log('this server does not say how many documents it examined')
  })

  check('a cursor goes through many batches, and can be left early', async (t, { name, collection }) => {
    await collection.insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: i, pad: 'x'.repeat(100) })))
    const cursor = collection.find({}).sort({ _id: 1 }).batchSize(64)
    const ids: unknown[] = []
    for await (const { _id } of cursor) ids.push(_id)
    t.deepEqual(
      ids,
      Array.from({ length: 1_000 }, (_, i) => i),
    )
    const left = collection.find({}).batchSize(10)
    await left.next()
    const id = left.id
    await left.close()
    await t.throwsAsync(server().database.command({ getMore: id, collection: name }), { instanceOf: MongoServerError, code: 43 })
  })

  check('answers of more than one message come in batches', async (t, { collection }) => {
    const pad = 'x'.repeat(1024 * 1024)
    await collection.insertMany(Array.from({ length: 20 }, (_, i) => ({ _id: i, pad })))
    t.is((await collection.find({}).batchSize(1_000).toArray()).length, 20)
  })

  check('an ordered bulk write stops at the first failure, an unordered one goes on', async (t, { collection }) => {
    await collection.insertOne({ _id: 'taken' })
    const operations = [
      { insertOne: { document: { _id: 'first' } } },
      { insertOne: { document: { _id: 'taken' } } },
      { insertOne: { document: { _id: 'last' } } },
    ]
    const ordered = await t.throwsAsync(collection.bulkWrite(operations), { instanceOf: MongoBulkWriteError })
    t.deepEqual([ordered.code, ordered.insertedCount], [11000, 1])
    t.is(await collection.countDocuments({ _id: 'last' }), 0)
    await t.throwsAsync(collection.bulkWrite(operations.slice(1), { ordered: false }), { instanceOf: MongoBulkWriteError })
    t.is(await collection.countDocuments({ _id: 'last' }), 1)
  })

  check('mixed bulk writes keep their order', async (t, { collection }) => {
    const result = await collection.bulkWrite([
      { insertOne: { document: { _id: 1, n: 1 } } },
      { updateOne: { filter: { _id: 1 }, update: { $inc: { n: 1 } } } },
      { updateOne: { filter: { _id: 2 }, update: { $set: { n: 9 } }, upsert: true } },
      { deleteOne: { filter: { _id: 1, n: 2 } } },
    ])
    t.deepEqual([result.insertedCount, result.matchedCount, result.upsertedCount, result.deletedCount], [1, 1, 1, 1])
    t.deepEqual(await collection.find({}).toArray(), [{ _id: 2, n: 9 }])
  })

  check('pipelines match, group and sort', async (t, { collection }) => {
    await collection.insertMany(Array.from({ length: 12 }, (_, i) => ({ _id: i, kind: ['a', 'b', 'c'][i % 3], n: i })))
    const groups = await collection
      .aggregate([{ $match: { n: { $gte: 3 } } }, { $group: { _id: '$kind', total: { $sum: '$n' } } }, { $sort: { _id: 1 } }])
      .toArray()
    t.deepEqual(groups, [
      { _id: 'a', total: 18 },
      { _id: 'b', total: 21 },
      { _id: 'c', total: 24 },
    ])
    t.is(await collection.countDocuments({ kind: 'a' }), 4)
    t.is(await collection.estimatedDocumentCount(), 12)
    t.deepEqual((await collection.distinct('kind', { n: { $lt: 2 } })).sort(), ['a', 'b'])
  })

  check('a pipeline computes several totals of each group', async (t, { collection }) => {
    await collection.insertMany(Array.from({ length: 12 }, (_, i) => ({ _id: i, kind: i % 2, n: i })))
    const groups = await collection
      .aggregate([
        { $match: { n: { $gte: 3 } } },
        {
          $group: {
            _id: '$kind',
            count: { $sum: 1 },
            total: { $sum: '$n' },
            least: { $min: '$n' },
            most: { $max: '$n' },
            mean: { $avg: '$n' },
          },
        },
        { $sort: { _id: 1 } },
      ])
      .toArray()
    t.deepEqual(groups, [
      { _id: 0, count: 4, total: 28, least: 4, most: 10, mean: 7 },
      { _id: 1, count: 5, total: 35, least: 3, most: 11, mean: 7 },
    ])
  })

  check('a pipeline does not change what is stored', async (t, { collection }) => {
    await collection.insertOne({ _id: 1, deep: { n: 1 } })
    await collection.aggregate([{ $set: { 'deep.n': 99 } }]).toArray()
    t.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, deep: { n: 1 } })
  })

  check('collections are listed, and gone after they are dropped', async (t, { name, collection }) => {
    await collection.insertOne({ _id: 1 })
    const names = async () => (await server().database.listCollections({ name }).toArray()).map((each) => each.name)
    t.deepEqual(await names(), [name])
    await collection.drop()
    t.deepEqual(await names(), [])
    t.is(await collection.countDocuments({}), 0)
  })

  check('a command that does not exist is refused as such', async (t) => {
    await t.throwsAsync(server().database.command({ noSuchCommand: 1 }), { instanceOf: MongoServerError, code: 59 })
  })

  for (const [what, bytes] of Object.entries(MALFORMED)) {
    check(`${what} harms only the connection that it came on`, async (t, { collection }) => {
      await sendAndLeave(server(), bytes)
      await collection.insertOne({ _id: 1 })
      t.is(await collection.countDocuments({}), 1)
    })
  }
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Frames as int32s: length, request id, response to, op code (OP_MSG is 2013, dd 07); then flags, a section kind, and a document. */
const MALFORMED: { [what: string]: Buffer } = {
  'a message that claims to be 2 GB long': hex('ffffff7f 01000000 00000000 dd070000 00000000'),
  'a message that is shorter than its header': hex('05000000 01000000 00000000 dd070000'),
  'a message that breaks off': hex('00010000 01000000 00000000 dd070000 00000000 00'),
  'a message of an unknown kind': hex('14000000 01000000 00000000 39300000 00000000'),
  'a document longer than its message': hex('1a000000 01000000 00000000 dd070000 00000000 00 ff000000 00'),
  'a document that is not BSON': hex('1f000000 01000000 00000000 dd070000 00000000 00 0a000000 ff41 00 ffff 00'),
  'text of another protocol': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
}

/** Writes the bytes and closes; resolves when the connection is gone, whoever closed it. */
function sendAndLeave({ host, port }: DocumentsServer, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, host)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve())
    socket.resume()
    socket.end(bytes)
  })
}
