import test from 'ava'
import { CommandError } from '../errors.ts'
import { isCostly, withinTime } from './time-limit.ts'

test('what takes too long is stopped, even within one regular expression', (t) => {
  const started = performance.now()
  const error = t.throws(() => withinTime(() => /^(a+)+$/.test(`${'a'.repeat(40)}!`), 50), { instanceOf: CommandError })
  t.is(error.code, 50)
  t.true(performance.now() - started < 5_000)
})

test('results and errors pass as they are', (t) => {
  const wrong = new TypeError('wrong')
  t.is(
    withinTime(() => 5, 1_000),
    5,
  )
  t.is(
    t.throws(() =>
      withinTime(() => {
        throw wrong
      }, 1_000),
    ),
    wrong,
  )
})

test('patterns and expressions are costly, wherever they are', (t) => {
  for (const filter of [{ a: /x/ }, { a: { $in: ['x', /y/] } }, { $and: [{ b: { $not: { $regex: 'x' } } }] }, { $expr: {} }])
    t.true(isCostly(filter), JSON.stringify(filter))
  for (const filter of [{}, { a: 5, b: { $gt: 'x', $in: ['x'] } }, { a: null, $or: [{ b: new Date() }] }])
    t.false(isCostly(filter), JSON.stringify(filter))
})
