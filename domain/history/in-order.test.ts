import test from 'ava'
import { inOrder } from './in-order.ts'

test('results come in the order of the items, of which so many are worked on at once', async (t) => {
  let underWay = 0
  let most = 0
  const slower = async (item: number) => {
    most = Math.max(most, ++underWay)
    for (let turn = item % 3; turn >= 0; turn--) await Promise.resolve()
    underWay--
    return item * 10
  }
  const results: number[] = []
  for await (const result of inOrder([5, 4, 3, 2, 1, 0], 3, slower)) results.push(result)
  t.deepEqual(results, [50, 40, 30, 20, 10, 0])
  t.is(most, 3)
})

test('what an item fails with is thrown in its turn, after the results before it', async (t) => {
  const results: number[] = []
  const failing = async (item: number) => {
    if (item >= 2) throw new Error(`item ${item}`)
    return item
  }
  const collect = async () => {
    for await (const result of inOrder([0, 1, 2, 3], 4, failing)) results.push(result)
  }
  await t.throwsAsync(collect(), { message: 'item 2' })
  t.deepEqual(results, [0, 1])
})
