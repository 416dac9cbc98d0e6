import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { watchProjectionWorkers } from '../adapters/nats/projection-workers.ts'
import type { Build, ProjectionStore } from '../domain/ports/projections.ts'
import { type Freshness, followProjection } from './freshness.ts'
import { actAsWorker, startBackends } from './testing/read-side.ts'

// One after another: each starts servers of its own, and many starts at once take longer than a client waits for one.

const never = () => new AbortController().signal

async function follow(
  t: ExecutionContext,
  { maxWaiting = 100, prepare }: { maxWaiting?: number; prepare?(store: ProjectionStore, build: Build): Promise<unknown> } = {},
) {
  const backends = await startBackends(t)
  const { store, messages } = backends
  const worker = actAsWorker(backends)
  const build = await worker.activeBuild('keys')
  await prepare?.(store, build)
  let looks = 0
  const workers = watchProjectionWorkers(messages)
  const freshness = await followProjection({
    projection: 'keys',
    messages,
    workers,
    maxWaiting,
    store: {
      builds: (projection) => {
        looks += 1
        return store.builds(projection)
      },
      checkpoints: (build) => store.checkpoints(build),
    },
  })
  t.teardown(() => {
    freshness.close()
    workers.close()
  })
  await messages.ping()
  return { ...backends, freshness, worker, build, looks: () => looks }
}

const positionOf = (freshness: Freshness) => freshness.reading()?.position

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 20_000) throw new Error('waited for too long')
    await delay(10)
  }
}

test.serial('the position is the least of all partitions, and known from the start', async (t) => {
  const { freshness, worker, build } = await follow(t, {
    prepare: (store, build) =>
      store.advance(build, {
        checkpoints: new Map(Array.from({ length: 16 }, (_, partition) => [partition, { position: BigInt(5 + partition), events: 1 }])),
        held: new Map(),
        parkings: 0,
      }),
  })
  t.is(positionOf(freshness), 5n)
  worker.reach(build, 9n, [0, 1, 2])
  t.true(await freshness.reached(8n, { timeoutMs: 10_000, signal: never() }))
  t.is(positionOf(freshness), 8n)
})

test.serial('a wait for a position ends when all partitions have it, at once when they had, and when the time is up', async (t) => {
  const { freshness, worker, build } = await follow(t)
  const waiting = freshness.reached(7n, { timeoutMs: 10_000, signal: never() })
  const longer = freshness.reached(9n, { timeoutMs: 10_000, signal: never() })
  worker.reach(build, 6n)
  worker.reach(build, 8n, [0, 1, 2, 3, 4, 5, 6, 7])
  worker.reach(build, 9n, [8, 9, 10, 11, 12, 13, 14, 15])
  t.true(await waiting)
  t.true(await freshness.reached(8n, { timeoutMs: 0, signal: never() }))
  t.false(await freshness.reached(9n, { timeoutMs: 30, signal: never() }))
  worker.reach(build, 9n)
  t.true(await longer)
})

test.serial('a wait ends when its signal aborts', async (t) => {
  const { freshness } = await follow(t)
  const abort = new AbortController()
  const reached = freshness.reached(7n, { timeoutMs: 10_000, signal: abort.signal })
  const changed = freshness.changed('a', 0n, { timeoutMs: 10_000, signal: abort.signal })
  abort.abort()
  t.false(await reached)
  t.is(await changed, undefined)
  t.false(await freshness.reached(7n, { timeoutMs: 10_000, signal: abort.signal }))
})

test.serial('no more wait than there is room for', async (t) => {
  const { freshness, worker, build } = await follow(t, { maxWaiting: 2 })
  const wait = { timeoutMs: 10_000, signal: never() }
  const first = freshness.reached(7n, wait)
  const second = freshness.changed('a', 0n, wait)
  await t.throwsAsync(freshness.reached(7n, wait), { code: 'read_model_behind' })
  await t.throwsAsync(freshness.changed('b', 0n, wait), { code: 'read_model_behind' })
  worker.reach(build, 7n)
  worker.change('keys', 'a', 7n)
  t.true(await first)
  t.is(await second, 7n)
  t.false(await freshness.reached(8n, { timeoutMs: 10, signal: never() }))
})

test.serial('a wait for a change is ended by that document only, and by a change heard before the wait began', async (t) => {
  const { freshness, worker } = await follow(t)
  const a = freshness.changed('a', 3n, { timeoutMs: 10_000, signal: never() })
  const b = freshness.changed('b', 3n, { timeoutMs: 100, signal: never() })
  worker.change('keys', 'a', 4n)
  t.is(await a, 4n)
  t.is(await b, undefined)
  t.is(await freshness.changed('a', 3n, { timeoutMs: 0, signal: never() }), 4n)
  t.is(await freshness.changed('a', 4n, { timeoutMs: 20, signal: never() }), undefined)
})

test.serial("what the feed has lost, the workers' reports make up for", async (t) => {
  const { freshness, worker, build, looks } = await follow(t)
  const before = looks()
  const reached = freshness.reached(3n, { timeoutMs: 10_000, signal: never() })
  const started = Date.now()
  const changed = freshness.changed('a', 0n, { timeoutMs: 10_000, signal: never() })
  worker.report(build, { position: '3', partitions: [0, 1, 2, 3, 4, 5, 6, 7] }, 'worker-1')
  worker.report(build, { position: '4', partitions: [8, 9, 10, 11, 12, 13, 14, 15] }, 'worker-2')
  t.true(await reached)
  t.is(await changed, undefined)
  // By itself it looks again after 5 s.
  t.true(Date.now() - started < 4_500)
  t.is(positionOf(freshness), 3n)
  t.is(looks(), before)
})

test.serial('the database is not asked, however long and however many wait, while anything is heard', async (t) => {
  const { freshness, worker, build, looks } = await follow(t)
  worker.report(build, { position: '2' })
  const before = looks()
  const feed = setInterval(() => worker.report(build, { position: '2' }), 200)
  const waits = Array.from({ length: 50 }, (_, n) => freshness.reached(BigInt(3 + n), { timeoutMs: 2_000, signal: never() }))
  t.true((await Promise.all(waits)).every((reached) => !reached))
  clearInterval(feed)
  t.is(looks(), before)
})

test.serial('when nothing is heard, the database is asked once, at the end of the wait, for all who wait', async (t) => {
  const { freshness, store, build, looks } = await follow(t)
  const before = looks()
  const waits = Array.from({ length: 50 }, () => freshness.reached(3n, { timeoutMs: 1_700, signal: never() }))
  const checkpoints = new Map(Array.from({ length: 16 }, (_, partition) => [partition, { position: 3n, events: 1 }]))
  await store.advance(build, { checkpoints, held: new Map(), parkings: 0 })
  t.true((await Promise.all(waits)).every((reached) => reached))
  t.true(looks() - before <= 2, `${looks() - before} looks`)
})

test.serial('readers turn to another build as soon as it is activated, by feed or by report, and not before', async (t) => {
  const { freshness, worker, store, build } = await follow(t)
  worker.reach(build, 10n)
  t.true(await freshness.reached(10n, { timeoutMs: 10_000, signal: never() }))
  const second = await store.begin('keys', 2)
  worker.report(second, { role: 'building', position: '4' })
  worker.report(build, { position: '11' })
  t.true(await freshness.reached(11n, { timeoutMs: 10_000, signal: never() }))
  t.is(freshness.reading()?.build.id, build.id)

  await store.activate(second)
  worker.reach(second, 12n)
  await until(() => freshness.reading()?.build.id === second.id)
  worker.reach(build, 99n)
  worker.reach(second, 13n)
  t.true(await freshness.reached(13n, { timeoutMs: 10_000, signal: never() }))
  t.is(positionOf(freshness), 13n)

  const third = await store.begin('keys', 2)
  await store.activate(third)
  worker.report(third, { position: '14' })
  await until(() => freshness.reading()?.build.id === third.id)
})

test.serial('what was read from once is awaited in the build that is made anew', async (t) => {
  const { freshness, worker, store, build } = await follow(t)
  worker.reach(build, 100n)
  t.true(await freshness.reached(100n, { timeoutMs: 10_000, signal: never() }))
  const next = await store.begin('keys', 1)
  await store.activate(next)
  await freshness.look()
  t.is(positionOf(freshness), undefined)
  t.is(freshness.awaited(), 100n)
  worker.reach(next, 100n)
  t.true(await freshness.reached(100n, { timeoutMs: 10_000, signal: never() }))
  t.is(freshness.awaited(), undefined)
})

test.serial('what was appended here is awaited until the read model has it', async (t) => {
  const { freshness, worker, build } = await follow(t)
  t.is(freshness.awaited(), undefined)
  freshness.expect(9n)
  freshness.expect(8n)
  t.is(freshness.awaited(), 9n)
  worker.reach(build, 8n)
  t.true(await freshness.reached(8n, { timeoutMs: 10_000, signal: never() }))
  t.is(freshness.awaited(), 9n)
  worker.reach(build, 9n)
  t.true(await freshness.reached(9n, { timeoutMs: 10_000, signal: never() }))
  t.is(freshness.awaited(), undefined)
})

test.serial('it is as current as the partition that was current the longest ago', async (t) => {
  const { freshness, worker, build, messages } = await follow(t)
  const now = Date.now()
  const at = (ms: number) => new Date(now + ms).toISOString()
  const heard = async () => {
    worker.reach(build, 1n)
    await messages.ping()
  }
  worker.report(build, { currentAt: at(5_000), partitions: [0, 1, 2, 3, 4, 5, 6, 7] }, 'worker-1')
  await heard()
  t.true((freshness.reading()?.currentAt ?? 0) <= now)
  worker.report(build, { currentAt: at(6_000), partitions: [8, 9, 10, 11, 12, 13, 14, 15] }, 'worker-2')
  await heard()
  t.is(freshness.reading()?.currentAt, now + 5_000)
  // a worker that has fallen behind does not make untrue what was said before
  worker.report(build, { currentAt: at(1_000) }, 'worker-3')
  await heard()
  t.is(freshness.reading()?.currentAt, now + 5_000)
})

test.serial('messages that are not from a worker change nothing', async (t) => {
  const { freshness, worker, build, messages } = await follow(t)
  const malformed = ['', 'x', '{}', 'null', '[]', '{"position": "x"}', '{"position": null}', '{"position": 1.5}', '{"position": "-1"}']
  const partitions = ['[16]', '[-1]', '[1.5]', '["1"]', '1', 'null']
  for (const payload of [
    ...malformed,
    '{"position": "5"}',
    ...partitions.map((list) => `{"position": "5", "build": "${build.id}", "partitions": ${list}}`),
  ]) {
    messages.publish('quorate.projection.keys', Buffer.from(payload))
    messages.publish('quorate.projections.worker-1', Buffer.from(payload))
  }
  worker.report(build, { position: '-5' })
  worker.report(build, { partitions: [99], position: '5' })
  worker.reach(build, 2n)
  t.true(await freshness.reached(2n, { timeoutMs: 10_000, signal: never() }))
  t.is(positionOf(freshness), 2n)
})
