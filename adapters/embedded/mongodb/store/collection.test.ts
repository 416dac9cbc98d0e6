import test from 'ava'
import fc from 'fast-check'
import type { Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compareValues } from '../query/order.ts'
import { type Collection, createCollection, type Selection } from './collection.ts'
import { parseIndexDefinition } from './secondary-index.ts'
import { createSpace } from './space.ts'

const create = (limitBytes = 2 ** 20): Collection => createCollection('d.c', createSpace(limitBytes))

const index = (key: object, options: object = {}) => parseIndexDefinition({ key, ...options })

const idsOf = (collection: Collection, selection: Selection): unknown[] =>
  collection.select(selection).ids.map((id) => collection.read(id)._id)

const scalar = fc.oneof(fc.nat(4), fc.constantFrom('a', 'b', null))
const document = fc.record({ a: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), b: scalar, c: fc.nat(3) }, { requiredKeys: [] })
const condition = fc.oneof(
  fc.nat(4),
  fc.constantFrom('a', null),
  fc.record({ $gt: fc.nat(4) }),
  fc.record({ $gte: fc.nat(4), $lt: fc.nat(5) }),
  fc.record({ $in: fc.array(fc.oneof(fc.nat(4), fc.constant(null)), { maxLength: 3 }) }),
)
const filter = fc.record({ a: condition, b: condition }, { requiredKeys: [] })
const direction = fc.constantFrom(1 as const, -1 as const)
const sort = fc.oneof(fc.constant({}), fc.record({ a: direction, b: direction }), fc.record({ b: direction }), fc.record({ a: direction }))

test('with indexes the same documents are found, in the same order, as without', (t) => {
  const keys = [{ a: 1 }, { b: -1 }, { a: 1, b: 1 }, { a: -1, b: 1, c: 1 }]
  fc.assert(
    fc.property(fc.array(document, { maxLength: 25 }), filter, sort, fc.nat(5), (documents, where, order, limit) => {
      const [plain, indexed] = [create(), create()]
      for (const [i, key] of keys.entries()) indexed.createIndex(index(key, { sparse: i === 1 }))
      for (const [_id, fields] of documents.entries()) for (const each of [plain, indexed]) each.insert({ _id, ...fields })
      // `_id` makes the order total, so that the limit cuts at the same place.
      const selection = { filter: where as Doc, sort: { ...order, _id: 1 } }
      const expected = idsOf(plain, selection)
      t.deepEqual(idsOf(indexed, selection), expected)
      t.deepEqual(idsOf(indexed, { ...selection, skip: 1, limit: limit + 1 }), expected.slice(1, limit + 2))
      t.deepEqual(idsOf(indexed, { filter: where as Doc }).sort(compareValues), [...expected].sort(compareValues))
    }),
  )
})

test('an index follows updates and removals', (t) => {
  const collection = create()
  collection.createIndex(index({ n: 1 }))
  for (let n = 0; n < 100; n++) collection.insert({ _id: n, n })
  for (const id of collection.select({ filter: { n: { $gte: 50 } } }).ids)
    collection.replace(id, { _id: collection.read(id)._id, n: 1_000 })
  for (const id of collection.select({ filter: { n: { $lt: 40 } } }).ids) collection.remove(id)
  t.is(collection.select({ filter: { n: 1_000 } }).ids.length, 50)
  const { ids, execution } = collection.select({ filter: { n: { $lt: 45 } } })
  t.deepEqual([ids.length, execution.keysExamined, collection.size], [5, 5, 60])
})

test('equality, then range and order, look only at what they return', (t) => {
  const collection = create()
  collection.createIndex(index({ tenant: 1, at: -1 }))
  for (let at = 0; at < 1_000; at++) collection.insert({ _id: at, tenant: at % 10, at })
  const examined = (selection: Selection) => {
    const { keysExamined, documentsExamined } = collection.select(selection).execution
    return Math.max(keysExamined, documentsExamined)
  }
  t.is(examined({ filter: { _id: 7 } }), 1)
  t.is(examined({ filter: { _id: { $in: [1, 2, 2, 3] } } }), 3)
  t.is(examined({ filter: { tenant: 3, at: { $gt: 900 } } }), 10)
  t.is(examined({ filter: { tenant: 3 }, sort: { at: -1 }, limit: 5 }), 5)
  t.is(examined({ filter: { tenant: 3 }, sort: { at: 1 }, limit: 5 }), 5)
  t.is(examined({ filter: { $and: [{ tenant: { $eq: 3 } }, { at: { $lt: 100 } }] }, sort: { at: -1 }, limit: 5 }), 5)
  t.is(examined({ filter: {}, sort: { tenant: 1, at: -1 }, skip: 2, limit: 5 }), 7)
  t.is(examined({ filter: { at: 5 } }), 1_000)
})

test('a unique index refuses duplicates and leaves nothing of them behind', (t) => {
  const collection = create()
  collection.createIndex(index({ email: 1 }, { unique: true, sparse: true }))
  collection.insert({ _id: 1, email: 'x' })
  collection.insert({ _id: 2 })
  collection.insert({ _id: 3 })
  const error = t.throws(() => collection.insert({ _id: 4, email: 'x' }), { instanceOf: CommandError })
  t.deepEqual([error.code, error.details], [11000, { keyPattern: { email: 1 }, keyValue: { email: 'x' } }])
  const [id] = collection.select({ filter: { _id: 2 } }).ids
  t.throws(() => collection.replace(id!, { _id: 2, email: 'x' }), { instanceOf: CommandError })
  t.deepEqual(idsOf(collection, { filter: { email: 'x' } }), [1])
  t.deepEqual([collection.size, collection.read(id!)], [3, { _id: 2 }])
})

test('uniqueness holds for each element of an array', (t) => {
  const collection = create()
  collection.createIndex(index({ tags: 1 }, { unique: true }))
  collection.insert({ _id: 1, tags: ['a', 'b', 'a'] })
  t.throws(() => collection.insert({ _id: 2, tags: ['c', 'b'] }), { instanceOf: CommandError })
  t.notThrows(() => collection.insert({ _id: 3, tags: ['c'] }))
})

test('two arrays cannot be in one index', (t) => {
  const collection = create()
  collection.createIndex(index({ a: 1, b: 1 }))
  t.throws(() => collection.insert({ _id: 1, a: [1, 2], b: [1, 2] }), { instanceOf: CommandError, message: /parallel arrays/ })
  t.is(collection.size, 0)
})

test('a partial index covers only the documents of its filter', (t) => {
  const collection = create()
  collection.createIndex(index({ name: 1 }, { unique: true, partialFilterExpression: { active: true } }))
  collection.insert({ _id: 1, name: 'x', active: true })
  t.notThrows(() => collection.insert({ _id: 2, name: 'x', active: false }))
  t.throws(() => collection.insert({ _id: 3, name: 'x', active: true }), { instanceOf: CommandError })
  t.is(collection.select({ filter: { name: 'x' } }).ids.length, 2)
})

test('space is bounded, and given back', (t) => {
  const collection = create(1_000)
  collection.insert({ _id: 1, pad: 'x'.repeat(800) })
  const error = t.throws(() => collection.insert({ _id: 2, pad: 'x'.repeat(800) }), { instanceOf: CommandError })
  t.is(error.codeName, 'OutOfDiskSpace')
  collection.remove(collection.select({ filter: { _id: 1 } }).ids[0]!)
  t.notThrows(() => collection.insert({ _id: 2, pad: 'x'.repeat(800) }))
})

test('a document is at most 16 MiB', (t) => {
  const collection = create(2 ** 30)
  t.throws(() => collection.insert({ pad: 'x'.repeat(16 * 1024 * 1024) }), { instanceOf: CommandError, message: /exceeds the limit/ })
})

test('_id never changes, and comes first', (t) => {
  const collection = create()
  t.is(collection.insert({ a: 1, _id: 1 }), 1)
  const [id] = collection.select({ filter: { _id: 1 } }).ids
  t.deepEqual(Object.keys(collection.read(id!)), ['_id', 'a'])
  t.throws(() => collection.replace(id!, { _id: 2 }), { instanceOf: CommandError })
  t.throws(() => collection.insert({ _id: [1] }), { instanceOf: CommandError })
})
