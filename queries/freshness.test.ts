import test, { type ExecutionContext } from 'ava'
import type { Messages } from '../domain/ports/messages.ts'
import { type Freshness, followProjection } from './freshness.ts'
import { announce, startBackends } from './testing/read-side.ts'

const never = new AbortController().signal

async function follow(t: ExecutionContext) {
  const { documents, messages } = await startBackends(t)
  let looks = 0
  const freshness = await followProjection({
    projection: 'keys',
    checkpoint: 'keys@1',
    messages,
    documents: {
      readCheckpoint: (name) => {
        looks += 1
        return documents.readCheckpoint(name)
      },
    },
  })
  t.teardown(freshness.close)
  await messages.ping()
  return { freshness, documents, messages, looks: () => looks }
}

/** Settled once the messages published so far have been heard. */
async function heard(messages: Messages, freshness: Freshness, position: bigint): Promise<boolean> {
  announce(messages, 'keys', position)
  return freshness.reached(position, { timeoutMs: 1_000, signal: never })
}

test('the position is the one announced last, and known from the start where there is a checkpoint', async (t) => {
  const { freshness, messages, documents } = await follow(t)
  t.is(freshness.position(), undefined)
  t.true(await heard(messages, freshness, 5n))
  t.is(freshness.position(), 5n)

  await documents.moveCheckpoint('wallets@1', undefined, 9n)
  const other = await followProjection({ projection: 'wallets', checkpoint: 'wallets@1', messages, documents })
  t.teardown(other.close)
  t.is(other.position(), 9n)
})

test('a wait for a position ends when it is announced, at once when it has been, and in false when the time is up', async (t) => {
  const { freshness, messages } = await follow(t)
  const waiting = freshness.reached(7n, { timeoutMs: 1_000, signal: never })
  announce(messages, 'keys', 6n)
  announce(messages, 'keys', 8n)
  t.true(await waiting)
  t.true(await freshness.reached(8n, { timeoutMs: 0, signal: never }))
  t.false(await freshness.reached(9n, { timeoutMs: 30, signal: never }))
})

test('a wait ends when its signal aborts', async (t) => {
  const { freshness } = await follow(t)
  const abort = new AbortController()
  const reached = freshness.reached(7n, { timeoutMs: 10_000, signal: abort.signal })
  const changed = freshness.changed('a', 0n, { timeoutMs: 10_000, signal: abort.signal })
  abort.abort()
  t.false(await reached)
  t.is(await changed, undefined)
  t.false(await freshness.reached(7n, { timeoutMs: 10_000, signal: abort.signal }))
})

test('a wait for a change is ended by that document only, and by a change heard before the wait began', async (t) => {
  const { freshness, messages } = await follow(t)
  const a = freshness.changed('a', 3n, { timeoutMs: 1_000, signal: never })
  const b = freshness.changed('b', 3n, { timeoutMs: 100, signal: never })
  announce(messages, 'keys.a', 4n)
  t.is(await a, 4n)
  t.is(await b, undefined)
  t.is(await freshness.changed('a', 3n, { timeoutMs: 0, signal: never }), 4n)
  t.is(await freshness.changed('a', 4n, { timeoutMs: 20, signal: never }), undefined)
})

test('a lost feed costs a moment: who waits is woken by the checkpoint', async (t) => {
  const { freshness, documents } = await follow(t)
  const reached = freshness.reached(3n, { timeoutMs: 3_000, signal: never })
  const changed = freshness.changed('a', 0n, { timeoutMs: 3_000, signal: never })
  await documents.moveCheckpoint('keys@1', undefined, 3n)
  t.true(await reached)
  t.is(await changed, undefined)
  t.is(freshness.position(), 3n)
})

test('the database is not asked while the feed is heard, nor while nobody waits', async (t) => {
  const { freshness, messages, looks } = await follow(t)
  t.is(looks(), 1)
  t.true(await heard(messages, freshness, 2n))
  const feed = setInterval(() => announce(messages, 'keys', 2n), 50)
  t.false(await freshness.reached(3n, { timeoutMs: 600, signal: never }))
  clearInterval(feed)
  t.is(looks(), 1)
})

test('a read model that is built anew has the position it says, though that is lower', async (t) => {
  const { freshness, messages } = await follow(t)
  t.true(await heard(messages, freshness, 100n))
  t.true(await heard(messages, freshness, 100n))
  announce(messages, 'keys', 4n)
  announce(messages, 'keys.a', 4n)
  t.is(await freshness.changed('a', 0n, { timeoutMs: 1_000, signal: never }), 4n)
  t.is(freshness.position(), 4n)
})

test('what was appended here is awaited until the read model has it', async (t) => {
  const { freshness, messages } = await follow(t)
  t.is(freshness.awaited(), undefined)
  freshness.expect(9n)
  freshness.expect(8n)
  t.is(freshness.awaited(), 9n)
  t.true(await heard(messages, freshness, 8n))
  t.is(freshness.awaited(), 9n)
  t.true(await heard(messages, freshness, 9n))
  t.is(freshness.awaited(), undefined)
})

test('messages that are not from the projection change nothing', async (t) => {
  const { freshness, messages } = await follow(t)
  for (const payload of ['', 'x', '{}', '{"position": "x"}', '{"position": null}', 'null', '{"position": 1.5}', '{"position": "-1"}'])
    messages.publish('quorate.projection.keys', Buffer.from(payload))
  await messages.ping()
  t.is(freshness.position(), undefined)
  t.true(await heard(messages, freshness, 2n))
})
