import test from 'ava'
import { deserialize, Long } from 'bson'
import fc from 'fast-check'
import { createCursors } from '../cursors.ts'
import type { Doc } from '../document.ts'
import { createDatabases } from '../store/databases.ts'
import { ProtocolViolation } from '../wire/frames.ts'
import { decodeRequest, encodeDocument } from '../wire/messages.ts'
import type { Server } from './command.ts'
import { answer } from './dispatch.ts'

const create = (): Server => ({ databases: createDatabases(), cursors: createCursors(() => 0), startedAt: 0, log: () => {} })

/** The command's name must be the first field. */
const run = (server: Server, body: Doc): Doc =>
  deserialize(answer(server, 1, { requestId: 1, dialect: 'message', body: { ...body, $db: 'd' } }))

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
    [{ aggregate: 'c', pipeline: [{ $nonsense: 1 }], cursor: {} }, 2],
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
  t.like(createIndex({ a: 1 }, { name: 'x', unique: true }), { code: 85 })
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
    { numRuns: 1_500 },
  )
  t.like(run(server, { ping: 1 }), { ok: 1 })
})
