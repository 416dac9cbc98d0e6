import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { batches } from './batches.ts'

const options = { limit: 3, idleMs: 10_000 }

async function* of<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('what is ready comes together, up to the limit, in order', async (t) => {
  t.deepEqual(await collect(batches(of(1, 2, 3, 4, 5), options)), [
    [1, 2, 3],
    [4, 5],
  ])
})

test('what is not ready is not waited for', async (t) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const source = async function* () {
    yield 1
    await held
    yield 2
  }
  const iterator = batches(source(), options)
  t.deepEqual((await iterator.next()).value, [1])
  release()
  t.deepEqual((await iterator.next()).value, [2])
  t.true((await iterator.next()).done)
})

test('an empty batch says that nothing came for a while', async (t) => {
  const never = new Promise<void>(() => {})
  const source = async function* () {
    yield 1
    await never
  }
  const iterator = batches(source(), { limit: 3, idleMs: 5 })
  t.deepEqual((await iterator.next()).value, [1])
  t.deepEqual((await iterator.next()).value, [])
  t.deepEqual((await iterator.next()).value, [])
})

test('an error ends the batches after what came before it', async (t) => {
  const source = async function* () {
    yield 1
    await setImmediate()
    await setImmediate()
    throw new Error('lost')
  }
  const iterator = batches(source(), options)
  t.deepEqual((await iterator.next()).value, [1])
  await t.throwsAsync(iterator.next(), { message: 'lost' })
})
