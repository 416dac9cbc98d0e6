import test from 'ava'
import { Long } from 'bson'
import { compileFilter } from './match.ts'

const DOCUMENT = {
  _id: 1,
  n: 5,
  big: Long.fromString('9007199254740993'),
  text: 'abc',
  none: null,
  tags: ['x', 'y'],
  items: [{ k: 'a', n: 1 }, { k: 'b', n: 2 }, { n: 3 }],
  matrix: [[1, 2], [3]],
  deep: { er: { value: true } },
  constructed: {},
}

const MATCHING: readonly object[] = [
  {},
  { n: 5 },
  { n: Long.fromNumber(5) },
  { n: { $gt: 4, $lte: 5 } },
  { n: { $in: [1, 5] } },
  { n: { $nin: [1, 2] } },
  { n: { $not: { $gt: 5 } } },
  { big: { $gt: 9007199254740992 } },
  { text: /^a/ },
  { text: { $in: [/c$/] } },
  { text: { $regex: '^AB', $options: 'i' } },
  { none: null },
  { missing: null },
  { missing: { $exists: false } },
  { missing: { $ne: 1 } },
  { none: { $exists: true } },
  { tags: 'x' },
  { tags: ['x', 'y'] },
  { tags: { $all: ['y', 'x'] } },
  { tags: { $size: 2 } },
  { 'tags.1': 'y' },
  { matrix: [3] },
  { 'items.k': 'b' },
  { 'items.n': { $gt: 2 } },
  { 'items.1.k': 'b' },
  { 'items.k': null },
  { items: { $elemMatch: { k: 'a', n: 1 } } },
  { 'deep.er.value': true },
  { deep: { er: { value: true } } },
  { constructed: {} },
  { $or: [{ n: 1 }, { text: 'abc' }] },
  { $and: [{ n: 5 }, { big: { $ne: 5 } }] },
  { $nor: [{ n: 1 }] },
  { $expr: { $eq: ['$n', 5] } },
  { n: { $type: 'number' } },
]

const NOT_MATCHING: readonly object[] = [
  { n: '5' },
  { n: { $gt: 'a' } },
  { n: { $lt: null } },
  { big: 9007199254740992 },
  { text: { $gt: 'abc' } },
  { missing: 1 },
  { missing: { $gt: 0 } },
  { tags: 'z' },
  { tags: ['y', 'x'] },
  { items: { $elemMatch: { k: 'a', n: 2 } } },
  { 'deep.er': { value: true, more: 1 } },
  { constructor: { $exists: true } },
  { 'deep.constructor.name': 'Object' },
  { none: { $gte: 0 } },
]

test('filters match what MongoDB matches', (t) => {
  for (const filter of MATCHING) t.true(compileFilter(filter as Record<string, unknown>)(DOCUMENT), JSON.stringify(filter))
  for (const filter of NOT_MATCHING) t.false(compileFilter(filter as Record<string, unknown>)(DOCUMENT), JSON.stringify(filter))
})

test('scripts are never run', (t) => {
  t.throws(() => compileFilter({ $where: 'true' }))
  t.throws(() => compileFilter({ $expr: { $function: { body: 'function() { return true }', args: [], lang: 'js' } } })(DOCUMENT))
})

test('operators that do not exist are refused', (t) => {
  t.throws(() => compileFilter({ n: { $nearly: 5 } }))
  t.throws(() => compileFilter({ $sometimes: [] }))
  t.throws(() => compileFilter({ n: { $in: 5 } }))
})
