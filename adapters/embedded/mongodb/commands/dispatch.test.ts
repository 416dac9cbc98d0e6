import test from 'ava'
import { deserialize, Long } from 'bson'
import fc from 'fast-check'
import { runs } from '../../../../test/runs.ts'
import { encodeDocument } from '../bson/encode.ts'
import { createCursors } from '../cursors.ts'
import type { Doc } from '../document.ts'
import { createDatabases } from '../store/databases.ts'
import { ProtocolViolation } from '../wire/frames.ts'
import { decodeRequest } from '../wire/messages.ts'
import type { Server } from './command.ts'
import { answer } from './dispatch.ts'

const create = (): Server => ({ databases: createDatabases(), cursors: createCursors(() => 0), startedAt: 0, log: () => {} })

/** The command's name must be the first field. */
const run = (server: Server, body: Doc): Doc =>
  deserialize(answer(server, 1, { requestId: 1, dialect: 'message', body: { ...body, $db: 'd' }, sequences: new Map() }))

test('commands say what is wrong by MongoDB’s codes', (t) => {
  const server = create()
  run(server, { create: 'c' })
  const cases: [body: Doc, code: number][] = [
    [{ nonsense: 1 }, 59],
    [{ toString: 1 }, 59],
    [{ create: 'c' }, 48],
    [{ create: 'capped', capped: true, size: 9 }, 115],
    [{ create: '$bad' }, 73],
    [{ find: 7 }, 73],
    [{ find: 'c', filter: 7 }, 14],
    [{ find: 'c', filter: { $bad: 1 } }, 2],
    [{ find: 'c', sort: { a: 2 } }, 2],
    [{ find: 'c', limit: -1 }, 2],
    [{ find: 'c', collation: { locale: 'de' } }, 115],
    [{ getMore: Long.fromNumber(5), collection: 'c' }, 43],
    [{ insert: 'c', documents: [] }, 16],
    [{ insert: 'c', documents: [7] }, 14],
    [{ aggregate: 'c', pipeline: [{ $out: 'x' }], cursor: {} }, 115],
    [{ aggregate: 'c', pipeline: [{ $nonsense: 1 }], cursor: {} }, 40324],
    [{ aggregate: 'c', pipeline: [{}], cursor: {} }, 40323],
    [{ aggregate: 'c', pipeline: [{ $group: { _id: 1, n: { $nonsense: 1 } } }], cursor: {} }, 15952],
    [{ createIndexes: 'c', indexes: [] }, 2],
    [{ renameCollection: 'd.none', to: 'd.e' }, 26],
    [{ renameCollection: 'd.c', to: 'd.c' }, 20],
    [{ renameCollection: 'd.c', to: 'd.$x' }, 73],
    [{ listIndexes: 'none' }, 26],
    [{ dropIndexes: 'c', index: 'none' }, 27],
    [{ dropIndexes: 'c', index: '_id_' }, 72],
    [{ drop: 'none' }, 26],
    [{ createIndexes: 'c', indexes: [{ key: { a: 'text' }, name: 'a' }] }, 67],
    [{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a', expireAfterSeconds: 1 }] }, 67],
    [{ findAndModify: 'c', update: {}, remove: true }, 9],
    [{ insert: 'c', documents: [{}], txnNumber: 1, startTransaction: true }, 115],
    [{ explain: { insert: 'c' } }, 115],
  ]
  for (const [body, code] of cases) t.like(run(server, body), { ok: 0, code }, JSON.stringify(body))
})

test('a batch reports each statement that failed by its index', (t) => {
  const server = create()
  const documents = [{ _id: 1 }, { _id: 1 }, { _id: 2 }]
  const ordered = run(server, { insert: 'a', documents })
  t.is(ordered.n, 1)
  t.like((ordered.writeErrors as Doc[])[0], { index: 1, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 } })
  t.is(run(server, { insert: 'b', documents, ordered: false }).n, 2)
})

test('an index with the same name and another meaning is refused', (t) => {
  const server = create()
  const createIndex = (key: Doc, options: Doc): Doc => run(server, { createIndexes: 'c', indexes: [{ key, ...options }] })
  t.like(createIndex({ a: 1 }, { name: 'x' }), { ok: 1, numIndexesAfter: 2 })
  t.like(createIndex({ a: 1 }, { name: 'x' }), { ok: 1, numIndexesAfter: 2 })
  t.like(createIndex({ b: 1 }, { name: 'x' }), { code: 86 })
  t.like(createIndex({ a: 1 }, { name: 'x', unique: true }), { code: 86 })
  t.like(createIndex({ a: 1 }, { name: 'y' }), { code: 85 })
})

test('a reader that has begun is not disturbed by writers', (t) => {
  const server = create()
  run(server, { insert: 'c', documents: Array.from({ length: 10 }, (_, _id) => ({ _id, n: 0 })) })
  const { cursor } = run(server, { find: 'c', batchSize: 2 }) as { cursor: { id: number } }
  run(server, { update: 'c', updates: [{ q: {}, u: { $set: { n: 1 } }, multi: true }] })
  run(server, { delete: 'c', deletes: [{ q: { _id: { $gte: 5 } }, limit: 0 }] })
  const rest = run(server, { getMore: cursor.id, collection: 'c' }) as { cursor: { nextBatch: Doc[] } }
  t.deepEqual(
    rest.cursor.nextBatch.map(({ n }) => n),
    Array.from({ length: 8 }, () => 0),
  )
})

test('joins and expressions read other collections without changing them', (t) => {
  const server = create()
  run(server, { insert: 'orders', documents: [{ _id: 1, item: 'a', deep: { n: 1 } }] })
  run(server, { insert: 'items', documents: [{ _id: 'a', price: 5, deep: { n: 1 } }] })
  const pipeline = [
    { $lookup: { from: 'items', localField: 'item', foreignField: '_id', as: 'found' } },
    { $unwind: '$found' },
    { $set: { 'found.deep.n': 2, 'deep.n': 2, total: { $multiply: ['$found.price', 2] } } },
  ]
  const { cursor } = run(server, { aggregate: 'orders', pipeline, cursor: {} }) as { cursor: { firstBatch: Doc[] } }
  t.like(cursor.firstBatch[0], { total: 10, deep: { n: 2 } })
  for (const name of ['orders', 'items'])
    t.like((run(server, { find: name }) as { cursor: { firstBatch: Doc[] } }).cursor.firstBatch[0], { deep: { n: 1 } })
})

test('whatever bytes come, there is an answer or the connection ends, and the server goes on', (t) => {
  const server = create()
  const commands: Doc[] = [
    { insert: 'c', documents: [{ _id: 1, a: [1, { b: 'x' }], d: new Date(0) }], $db: 'd' },
    { update: 'c', updates: [{ q: { _id: 1 }, u: { $push: { a: { $each: [1], $slice: 2 } } }, upsert: true }], $db: 'd' },
    { find: 'c', filter: { a: { $in: [1, null] } }, sort: { _id: -1 }, projection: { a: 1 }, $db: 'd' },
    { aggregate: 'c', pipeline: [{ $group: { _id: '$a', n: { $sum: 1 } } }], cursor: {}, $db: 'd' },
    { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a', unique: true }], $db: 'd' },
  ]
  const frames = commands.map((command) => {
    const document = encodeDocument(command)
    const head = Buffer.alloc(21)
    for (const [i, value] of [head.length + document.length, 1, 0, 2013, 0].entries()) head.writeInt32LE(value, i * 4)
    return Buffer.concat([head, document])
  })
  const change = fc.record({ at: fc.nat(400), byte: fc.nat(255) })
  fc.assert(
    fc.property(fc.constantFrom(...frames), fc.array(change, { minLength: 1, maxLength: 4 }), (frame, changes) => {
      const bytes = Buffer.from(frame)
      for (const { at, byte } of changes) bytes[12 + (at % (bytes.length - 12))] = byte
      try {
        t.true([0, 1].includes(deserialize(answer(server, 1, decodeRequest(bytes))).ok))
      } catch (error) {
        t.true(error instanceof ProtocolViolation, String(error))
      }
    }),
    { numRuns: runs(1_500) },
  )
  t.like(run(server, { ping: 1 }), { ok: 1 })
})

/** Each argument of each command, and values of types that it cannot have. */
const ARGUMENTS: readonly [valid: Doc, argument: string, wrong: readonly unknown[]][] = [
  [{ find: 'c' }, 'find', [7, {}, null]],
  [{ find: 'c' }, 'filter', [7, 'x', []]],
  [{ find: 'c' }, 'sort', [7, 'x', []]],
  [{ find: 'c' }, 'projection', [7, 'x', []]],
  [{ find: 'c' }, 'limit', ['x', {}, true, 1.5]],
  [{ find: 'c' }, 'skip', ['x', {}, -1]],
  [{ find: 'c' }, 'batchSize', ['x', -1]],
  [{ find: 'c' }, 'maxTimeMS', ['x', -1]],
  [{ find: 'c' }, 'singleBatch', ['x', {}]],
  [{ getMore: 5, collection: 'c' }, 'getMore', ['x', {}]],
  [{ getMore: 5, collection: 'c' }, 'collection', [7]],
  [{ aggregate: 'c', pipeline: [], cursor: {} }, 'pipeline', [7, {}, [7], 'x']],
  [{ aggregate: 'c', pipeline: [], cursor: {} }, 'cursor', [7, 'x']],
  [{ aggregate: 'c', pipeline: [], cursor: {} }, 'let', [7, 'x']],
  [{ count: 'c' }, 'query', [7, 'x', []]],
  [{ distinct: 'c', key: 'a' }, 'key', [7, {}]],
  [{ distinct: 'c', key: 'a' }, 'query', [7, 'x']],
  [{ insert: 'c', documents: [{}] }, 'documents', [7, {}, [7], 'x']],
  [{ insert: 'c', documents: [{}] }, 'ordered', ['x', {}]],
  [{ update: 'c', updates: [{ q: {}, u: {} }] }, 'updates', [7, {}, [7]]],
  [{ delete: 'c', deletes: [{ q: {}, limit: 1 }] }, 'deletes', [7, {}, [7]]],
  [{ findAndModify: 'c', update: {} }, 'query', [7, 'x']],
  [{ findAndModify: 'c', update: {} }, 'update', [7, 'x']],
  [{ findAndModify: 'c', update: {} }, 'new', ['x']],
  [{ findAndModify: 'c', update: {} }, 'upsert', ['x']],
  [{ findAndModify: 'c', update: {} }, 'fields', [7, 'x']],
  [{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a' }] }, 'indexes', [7, {}, [7], [{ key: 7 }], [{}]]],
  [{ renameCollection: 'd.c', to: 'd.e' }, 'to', [7, {}, null]],
  [{ listCollections: 1 }, 'filter', [7, 'x']],
  [{ listCollections: 1 }, 'cursor', [7, 'x']],
]

test('an argument of the wrong type is an error, and changes nothing', (t) => {
  const server = create()
  run(server, { insert: 'c', documents: [{ _id: 1, a: 1 }] })
  for (const [valid, argument, wrong] of ARGUMENTS)
    for (const value of wrong) {
      const { ok, code } = run(server, { ...valid, [argument]: value })
      t.deepEqual([ok, typeof code, code === 1], [0, 'number', false], JSON.stringify({ ...valid, [argument]: value }))
    }
  const statements: Doc[] = [
    { q: 7, u: {} },
    { q: {}, u: 7 },
    { q: {}, u: { $set: 7 } },
    { q: {}, u: { $set: { a: 2 } }, multi: 'x' },
    { q: {}, u: { $set: { a: 2 } }, upsert: 'x' },
    { q: {}, u: { $set: { a: 2 } }, arrayFilters: 7 },
    { q: { a: { $gt: 1, $bad: 2 } }, u: { $set: { a: 2 } } },
  ]
  for (const statement of statements)
    t.like(run(server, { update: 'c', updates: [statement] }), { n: 0, ok: 1, writeErrors: { length: 1 } })
  for (const statement of [{ q: 7, limit: 1 }, { q: {} }, { q: {}, limit: 2 }, { q: { $bad: 1 }, limit: 0 }])
    t.like(run(server, { delete: 'c', deletes: [statement] }), { n: 0, ok: 1, writeErrors: { length: 1 } })
  const { cursor } = run(server, { find: 'c' }) as { cursor: { firstBatch: Doc[] } }
  t.deepEqual(cursor.firstBatch, [{ _id: 1, a: 1 }])
})

test('a list of very many values is looked up, not gone through for each document', (t) => {
  const server = create()
  run(server, { insert: 'c', documents: Array.from({ length: 8_000 }, (_, _id) => ({ _id, n: _id })) })
  const list = (length: number) => Array.from({ length }, (_, i) => (i % 2 ? i + 7_990 : `x${i}`))
  // Of the processor, since a clock would count what others on the machine take.
  const microseconds = (field: string, length: number): number => {
    const started = process.cpuUsage()
    t.is(run(server, { count: 'c', query: { [field]: { $in: list(length) } } }).n, 5)
    const { user, system } = process.cpuUsage(started)
    return user + system
  }
  microseconds('n', 200)
  const short = microseconds('n', 200)
  t.true(microseconds('n', 20_000) < short * 25)
  t.true(microseconds('_id', 20_000) < short * 25)
})

test('a pattern that backtracks without end is stopped', (t) => {
  const server = create()
  run(server, { insert: 'c', documents: [{ _id: 1, text: `${'a'.repeat(60)}!`, list: [`${'a'.repeat(60)}!`] }] })
  const pattern = '^(a+)+$'
  const maxTimeMS = 200
  const stopped = { code: 50, errmsg: 'operation exceeded 200 ms' }
  const q = { text: { $regex: pattern } }
  const u = { $pull: { list: { $regex: pattern } } }
  const pipeline = [{ $unwind: '$list' }, { $match: { list: { $regex: pattern } } }]
  t.like(run(server, { find: 'c', filter: q, maxTimeMS }), stopped)
  t.like(run(server, { aggregate: 'c', pipeline, cursor: {}, maxTimeMS }), stopped)
  t.like(run(server, { findAndModify: 'c', update: u, maxTimeMS }), stopped)
  const firstErrorOf = (body: Doc) => (run(server, { ...body, maxTimeMS }).writeErrors as Doc[])[0]
  t.like(firstErrorOf({ update: 'c', updates: [{ q: {}, u }] }), stopped)
  t.like(firstErrorOf({ delete: 'c', deletes: [{ q, limit: 0 }] }), stopped)
  t.is(run(server, { count: 'c' }).n, 1)
})

test('what a pipeline holds is bounded', (t) => {
  const server = create()
  const pad = 'x'.repeat(15 * 1024 * 1024)
  for (let _id = 0; _id < 8; _id++) run(server, { insert: 'c', documents: [{ _id, pad }] })
  const group = (n: unknown) => run(server, { aggregate: 'c', pipeline: [{ $group: { _id: null, n } }], cursor: {} })
  t.like(run(server, { aggregate: 'c', pipeline: [{ $addFields: { more: 1 } }], cursor: {} }), { ok: 0, code: 292 })
  t.like(group({ $sum: 1 }), { ok: 1 })
  t.like(run(server, { distinct: 'c', key: 'pad' }), { ok: 1, values: { length: 1 } })
})

test('an answer larger than a document may be is an error', (t) => {
  const server = create()
  for (let _id = 0; _id < 2; _id++) run(server, { insert: 'c', documents: [{ _id, pad: String(_id).repeat(9 * 1024 * 1024) }] })
  t.like(run(server, { distinct: 'c', key: 'pad' }), { ok: 0, code: 10334 })
})

test('a collection is renamed with its documents and indexes, over another one only when told so', (t) => {
  const server = create()
  run(server, { insert: 'a', documents: [{ _id: 1, n: 1 }] })
  run(server, { createIndexes: 'a', indexes: [{ key: { n: 1 }, name: 'n', unique: true }] })
  run(server, { insert: 'b', documents: [{ _id: 2 }] })
  t.like(run(server, { renameCollection: 'd.a', to: 'd.b' }), { ok: 0, code: 48 })
  t.like(run(server, { renameCollection: 'd.a', to: 'd.b', dropTarget: true }), { ok: 1 })
  t.like(run(server, { find: 'b' }), { cursor: { firstBatch: [{ _id: 1, n: 1 }], ns: 'd.b' } })
  t.is(run(server, { count: 'a' }).n, 0)
  const [error] = run(server, { insert: 'b', documents: [{ n: 1 }] }).writeErrors as Doc[]
  t.regex(String(error?.errmsg), /collection: d\.b index: n/)
  t.like(run(server, { renameCollection: 'd.b', to: 'other.b' }), { ok: 1 })
  t.deepEqual(server.databases.names(), ['other'])
})

test('no update makes a document that is nested too deeply to be read', (t) => {
  const server = create()
  run(server, { insert: 'c', documents: [{ _id: 1 }] })
  const path = (length: number): string => Array.from({ length }, () => 'a').join('.')
  let nested: Doc = {}
  for (let depth = 0; depth < 150; depth++) nested = { d: nested }
  for (const $set of [{ [path(100)]: nested }, { [path(200_000)]: 1 }]) {
    const { writeErrors } = run(server, { update: 'c', updates: [{ q: {}, u: { $set } }] })
    t.like((writeErrors as Doc[])[0], { code: 15 })
  }
  t.deepEqual((run(server, { find: 'c' }) as { cursor: { firstBatch: Doc[] } }).cursor.firstBatch, [{ _id: 1 }])
})
