import { setImmediate as nextTick } from 'node:timers/promises'
import test from 'ava'
import { takeTurns } from './turns.ts'

/** Work that goes on until it is let end. */
function heldWork() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    work(key: string) {
      begun.push(key)
      return new Promise<void>((resolve) => ends.set(key, resolve))
    },
    async end(key: string) {
      ends.get(key)!()
      await nextTick()
    },
  }
}

const unexpected = (_: string, error: unknown) => {
  throw error
}

test('one turn at a time for each, and another one when it was woken meanwhile', async (t) => {
  const { begun, work, end } = heldWork()
  const turns = takeTurns({ concurrency: 2, work, onFailure: unexpected })
  turns.wake('a')
  turns.wake('a')
  turns.wake('a')
  turns.wake('b')
  turns.wake('c')
  t.deepEqual(begun, ['a', 'b'])
  await end('b')
  t.deepEqual(begun, ['a', 'b', 'c'])
  await end('a')
  t.deepEqual(begun, ['a', 'b', 'c', 'a'])
  await end('a')
  await end('c')
  t.is(begun.length, 4)
})

test('what fails gets another turn, later with every failure, without anybody waking it', async (t) => {
  const failures: unknown[] = []
  const times: number[] = []
  await new Promise<void>((resolve) => {
    const work = async () => {
      times.push(performance.now())
      if (times.length < 4) throw new Error('not yet')
      resolve()
    }
    takeTurns({ concurrency: 1, work, onFailure: (_, error) => failures.push(error), firstWaitMs: 20 }).wake('a')
  })
  t.is(failures.length, 3)
  const waits = times.slice(1).map((time, index) => time - times[index]!)
  for (const [index, least] of [18, 38, 78].entries()) t.true(waits[index]! >= least)
})

test('what is under way is waited for at the end, and nothing begins after it', async (t) => {
  const { begun, work, end } = heldWork()
  const turns = takeTurns({ concurrency: 1, work, onFailure: unexpected })
  turns.wake('a')
  turns.wake('b')
  let closed = false
  const closing = turns.close().then(() => {
    closed = true
  })
  await nextTick()
  t.false(closed)
  await end('a')
  await closing
  t.deepEqual(begun, ['a'])
})
