import test from 'ava'
import { createBatchedReads } from './batched-reads.ts'

const echo = (calls: string[][]) => async (collection: string, ids: readonly string[]) => {
  calls.push([collection, ...ids])
  return ids.filter((id) => !id.startsWith('missing')).map((_id) => ({ _id, collection, tags: [] }))
}

test('reads of one turn share a call per collection, and each gets its own document', async (t) => {
  const calls: string[][] = []
  const read = createBatchedReads(echo(calls))
  const [a, b, missing, other, again] = await Promise.all([
    read('c', 'a'),
    read('c', 'b'),
    read('c', 'missing'),
    read('d', 'a'),
    read('c', 'a'),
  ])
  t.deepEqual([a?._id, b?._id, missing, other?.collection], ['a', 'b', undefined, 'd'])
  t.deepEqual(calls, [
    ['c', 'a', 'b', 'missing'],
    ['d', 'a'],
  ])
  t.deepEqual(again, a)
  t.not(again?.tags, a?.tags, 'readers share nothing')
})

test('a read never joins a call that has begun before it', async (t) => {
  const calls: string[][] = []
  const read = createBatchedReads(echo(calls))
  await read('c', 'a')
  await read('c', 'a')
  t.is(calls.length, 2)
})

test('a call is bounded in size', async (t) => {
  const calls: string[][] = []
  const read = createBatchedReads(echo(calls))
  const found = await Promise.all(Array.from({ length: 1_200 }, (_, i) => read('c', `d${i}`)))
  t.true(found.every((document, i) => document?._id === `d${i}`))
  t.deepEqual(
    calls.map(({ length }) => length - 1),
    [500, 500, 200],
  )
})

test('a failure reaches every reader of the call, and only those', async (t) => {
  const read = createBatchedReads(async (collection, ids) => {
    if (collection === 'broken') throw new Error('broken')
    return ids.map((_id) => ({ _id }))
  })
  const outcomes = await Promise.allSettled([read('broken', 'a'), read('broken', 'b'), read('sound', 'a')])
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  )
})
