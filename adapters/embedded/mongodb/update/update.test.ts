import test from 'ava'
import { Long } from 'bson'
import { cloneValue, type Doc } from '../document.ts'
import { type CodeName, CommandError } from '../errors.ts'
import { compileUpdate } from './update.ts'

const apply = (document: Doc, update: unknown, filter: Doc = {}, arrayFilters: unknown[] = []): unknown =>
  compileUpdate(filter, update, arrayFilters).apply({ _id: 1, ...cloneValue(document) })

type Case = [update: object, before: Doc, after: Doc | undefined]

/** `undefined` where nothing changes. */
const CASES: readonly Case[] = [
  [{ $set: { a: 1, 'b.c': 2 } }, {}, { a: 1, b: { c: 2 } }],
  [{ $set: { a: 1 } }, { a: 1 }, undefined],
  [{ $set: { 'list.1': 'x' } }, { list: [0] }, { list: [0, 'x'] }],
  [{ $set: { 'list.2': 'x' } }, { list: [] }, { list: [null, null, 'x'] }],
  [{ $unset: { 'a.b': '', none: '' } }, { a: { b: 1, c: 2 } }, { a: { c: 2 } }],
  [{ $unset: { 'list.0': '' } }, { list: [1, 2] }, { list: [null, 2] }],
  [{ $inc: { n: 2, m: -1 } }, { n: 1 }, { n: 3, m: -1 }],
  [{ $inc: { n: 1 } }, { n: Number.MAX_SAFE_INTEGER }, { n: Long.fromString('9007199254740992') }],
  [{ $inc: { n: -1 } }, { n: Long.fromString('9007199254740992') }, { n: Number.MAX_SAFE_INTEGER }],
  [{ $inc: { n: 0.5 } }, { n: 1 }, { n: 1.5 }],
  [{ $mul: { n: 3, none: 3 } }, { n: 2 }, { n: 6, none: 0 }],
  [{ $min: { n: 1, none: 5 } }, { n: 3 }, { n: 1, none: 5 }],
  [{ $max: { n: 1 } }, { n: 3 }, undefined],
  [{ $bit: { n: { or: 4 } } }, { n: 1 }, { n: 5 }],
  [{ $rename: { a: 'b.c' } }, { a: 1 }, { b: { c: 1 } }],
  [{ $rename: { none: 'b' } }, { a: 1 }, undefined],
  [{ $push: { list: [1] } }, {}, { list: [[1]] }],
  [{ $push: { list: { $each: [5, 1], $sort: -1, $slice: 2 } } }, { list: [3] }, { list: [5, 3] }],
  [{ $push: { list: { $each: ['x'], $position: 0 } } }, { list: ['y'] }, { list: ['x', 'y'] }],
  [{ $addToSet: { set: { $each: ['a', 'b', 'b'] } } }, { set: ['a'] }, { set: ['a', 'b'] }],
  [{ $addToSet: { set: { k: 1 } } }, { set: [{ k: 1 }] }, undefined],
  [{ $pull: { list: { $gt: 1 } } }, { list: [1, 2, 3] }, { list: [1] }],
  [{ $pull: { list: { k: 'a' } } }, { list: [{ k: 'a', n: 1 }, { k: 'b' }, 'a'] }, { list: [{ k: 'b' }, 'a'] }],
  [{ $pull: { none: 1 } }, {}, undefined],
  [{ $pullAll: { list: [1, 3] } }, { list: [1, 2, 3] }, { list: [2] }],
  [{ $pop: { list: -1 } }, { list: [1, 2] }, { list: [2] }],
  [{ $setOnInsert: { a: 1 } }, {}, undefined],
]

test('operators change a document as MongoDB does', (t) => {
  for (const [update, before, after] of CASES) t.deepEqual(apply(before, update), after && { _id: 1, ...after }, JSON.stringify(update))
})

test('documents share nothing that an update gave them', (t) => {
  const value = { list: [] }
  const update = compileUpdate({}, { $set: { value }, $push: { 'deep.list': 2 } })
  const first = update.apply({ _id: 1, deep: { list: [1] } })
  const second = update.apply({ _id: 2, deep: { list: [1] } })
  t.not(first!.value, second!.value)
  t.not(first!.value, value)
})

test('positional operators find their elements', (t) => {
  const items = [
    { k: 'a', n: 1 },
    { k: 'b', n: 2 },
  ]
  t.deepEqual(apply({ items }, { $set: { 'items.$.n': 9 } }, { 'items.k': 'b' }), {
    _id: 1,
    items: [
      { k: 'a', n: 1 },
      { k: 'b', n: 9 },
    ],
  })
  t.deepEqual(apply({ items }, { $set: { 'items.$.n': 9 } }, { items: { $elemMatch: { n: 2 } } }), {
    _id: 1,
    items: [
      { k: 'a', n: 1 },
      { k: 'b', n: 9 },
    ],
  })
  t.deepEqual(apply({ items }, { $inc: { 'items.$[].n': 1 } }), {
    _id: 1,
    items: [
      { k: 'a', n: 2 },
      { k: 'b', n: 3 },
    ],
  })
  t.deepEqual(apply({ list: [1, 5, 9] }, { $set: { 'list.$[big]': 0 } }, {}, [{ big: { $gte: 5 } }]), { _id: 1, list: [1, 0, 0] })
  t.throws(() => apply({ items }, { $set: { 'items.$.n': 9 } }), { instanceOf: CommandError })
  t.throws(() => apply({ items }, { $set: { 'items.$[x].n': 9 } }), { instanceOf: CommandError })
})

test('an upsert takes the equalities of the filter', (t) => {
  const insertion = (filter: Doc, update: unknown) => compileUpdate(filter, update).insertion()
  t.deepEqual(
    insertion({ _id: 'k', 'a.b': 1, n: { $gt: 5 }, $and: [{ c: { $eq: 2 } }] }, { $inc: { n: 1 }, $setOnInsert: { new: true } }),
    {
      _id: 'k',
      a: { b: 1 },
      c: 2,
      n: 1,
      new: true,
    },
  )
  t.deepEqual(insertion({ _id: 'k', a: 1 }, { b: 2 }), { _id: 'k', b: 2 })
})

test('a pipeline computes the new document', (t) => {
  t.deepEqual(apply({ a: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }, { $unset: 'a' }]), { _id: 1, b: 2 })
  t.throws(() => apply({}, [{ $match: {} }]), { instanceOf: CommandError })
})

test('an update that makes no sense is refused', (t) => {
  const refused: [update: unknown, before: Doc, codeName: CodeName][] = [
    [{ $inc: { a: 'x' } }, {}, 'TypeMismatch'],
    [{ $inc: { a: 1 } }, { a: 'x' }, 'TypeMismatch'],
    [{ $inc: { a: 1 } }, { a: Long.MAX_VALUE }, 'BadValue'],
    [{ $push: { a: 1 } }, { a: 'x' }, 'BadValue'],
    [{ $set: { 'a.b': 1 } }, { a: 1 }, 'PathNotViable'],
    [{ $set: { 'a.b': 1 } }, { a: [] }, 'PathNotViable'],
    [{ $set: { a: 1, 'a.b': 1 } }, {}, 'ConflictingUpdateOperators'],
    [{ $set: { a: 1 }, $inc: { a: 1 } }, {}, 'ConflictingUpdateOperators'],
    [{ $set: { 'a..b': 1 } }, {}, 'BadValue'],
    [{ $set: { $a: 1 } }, {}, 'DollarPrefixedFieldName'],
    [{ $nonsense: { a: 1 } }, {}, 'FailedToParse'],
    [{ $set: 5 }, {}, 'FailedToParse'],
    [{ $set: { 'list.999999999': 1 } }, { list: [] }, 'BadValue'],
    [5, {}, 'FailedToParse'],
  ]
  for (const [update, before, codeName] of refused) {
    const error = t.throws(() => apply(before, update), { instanceOf: CommandError }, JSON.stringify(update))
    t.is(error.codeName, codeName, JSON.stringify(update))
  }
})

test('no path leads into the prototype of objects', (t) => {
  for (const path of ['__proto__.polluted', 'a.__proto__.polluted'])
    t.throws(() => apply({ a: {} }, { $set: { [path]: true } }), { instanceOf: CommandError })
  apply({}, { $set: { 'constructor.prototype.polluted': true } })
  t.is(({} as Doc).polluted, undefined)
})
