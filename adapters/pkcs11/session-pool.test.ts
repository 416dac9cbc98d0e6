import test from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { createSessionPool } from './session-pool.ts'

function makePool(options: Partial<{ size: number; maxWaiting: number; timeoutMs: number }> = {}) {
  const opened: number[] = []
  const closed: number[] = []
  const pool = createSessionPool<number>({
    size: 2,
    maxWaiting: 10,
    timeoutMs: 5_000,
    ...options,
    open: () => opened.push(opened.length),
    close: (session) => closed.push(session),
  })
  return { pool, opened, closed }
}

function gate(): { open: () => void; passed: Promise<void> } {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

test('no session serves two at a time, and no more are opened than allowed', async (t) => {
  const { pool, opened } = makePool()
  const inUse = new Set<number>()
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      pool.use(async (session) => {
        t.false(inUse.has(session))
        inUse.add(session)
        await new Promise(setImmediate)
        inUse.delete(session)
        return index
      }),
    ),
  )
  t.deepEqual(results, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.is(opened.length, 2)
})

test('a session whose operation failed is closed and replaced', async (t) => {
  const { pool, opened, closed } = makePool({ size: 1 })
  const failure = new Error('the device says no')
  t.is(await t.throwsAsync(pool.use(async () => Promise.reject(failure))), failure)
  t.deepEqual(closed, [1])
  t.is(await pool.use(async (session) => session), 2)
  t.is(opened.length, 2)
})

test('when too many wait, the next is refused at once', async (t) => {
  const { pool } = makePool({ size: 1, maxWaiting: 1 })
  const { open, passed } = gate()
  const running = pool.use(() => passed)
  const waiting = pool.use(async () => 'had to wait')
  await t.throwsAsync(
    pool.use(async () => 'never'),
    { instanceOf: Unavailable },
  )
  open()
  await running
  t.is(await waiting, 'had to wait')
})

test('an operation that takes too long is given up, and what waited behind it never starts', async (t) => {
  const { pool } = makePool({ size: 1, timeoutMs: 50 })
  const { open, passed } = gate()
  let started = false
  const slow = t.throwsAsync(
    pool.use(() => passed),
    { instanceOf: Unavailable },
  )
  const behind = t.throwsAsync(
    pool.use(async () => {
      started = true
    }),
    { instanceOf: Unavailable },
  )
  await Promise.all([slow, behind])
  open()
  t.is(await pool.use(async () => 'next'), 'next')
  t.false(started)
})

test('closing lets running operations end, closes their sessions and refuses new ones', async (t) => {
  const { pool, opened, closed } = makePool()
  const { open, passed } = gate()
  const started = gate()
  const running = pool.use(async (session) => {
    started.open()
    await passed
    return session
  })
  await started.passed
  const closing = pool.close()
  open()
  t.is(await running, 1)
  await closing
  t.deepEqual(closed, [1])
  await t.throwsAsync(
    pool.use(async () => {}),
    { instanceOf: Unavailable },
  )
  t.is(opened.length, 1)
})
