import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { readAhead } from './read-ahead.ts'

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await setImmediate()
}

/** Arrays of so many numbers, as fast as they are taken; `read` says how many have been. */
function numbers(arrays: number, size: number) {
  let read = 0
  const source = async function* () {
    for (let i = 0; i < arrays; i++) {
      read += size
      yield Array.from({ length: size }, (_, k) => i * size + k)
    }
  }
  return { source: source(), read: () => read }
}

test('everything comes, once and in order, however slow the consumer', async (t) => {
  const all: number[] = []
  for await (const batch of readAhead(numbers(50, 3).source, { limit: 10 }).batches) {
    await turns(batch.length % 4)
    all.push(...batch)
  }
  t.deepEqual(
    all,
    Array.from({ length: 150 }, (_, i) => i),
  )
})

test('what came while the consumer was at work comes as one batch', async (t) => {
  const batches = readAhead(numbers(20, 1).source, { limit: 100 }).batches[Symbol.asyncIterator]()
  await batches.next()
  await turns(100)
  t.true((await batches.next()).value!.length > 10)
})

test('a consumer that stops taking stops the reading', async (t) => {
  const { source, read } = numbers(1_000, 5)
  const { batches, waiting } = readAhead(source, { limit: 20 })
  const consumer = batches[Symbol.asyncIterator]()
  const first = (await consumer.next()).value!
  await turns(500)
  t.true(waiting() >= 20 && waiting() < 20 + 5, `${waiting()} wait`)
  t.is(read(), first.length + waiting())
})

test('an error comes after what was read before it', async (t) => {
  const source = async function* () {
    yield [1, 2]
    throw new Error('lost')
  }
  const batches = readAhead(source(), { limit: 10 }).batches[Symbol.asyncIterator]()
  t.deepEqual((await batches.next()).value, [1, 2])
  await t.throwsAsync(async () => batches.next(), { message: 'lost' })
})

test('a source is left when the consumer leaves', async (t) => {
  let left = false
  const source = async function* () {
    try {
      for (let i = 0; ; i++) yield [i]
    } finally {
      left = true
    }
  }
  for await (const _ of readAhead(source(), { limit: 5 }).batches) break
  await turns(10)
  t.true(left)
})
