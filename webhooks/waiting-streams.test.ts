import test from 'ava'
import type { Entry } from '../queries/streams/cloud-event.ts'
import { type ReadStream, waitingStreams } from './waiting-streams.ts'

const entry = (stream: string, revision: number) => ({ id: `${stream}@${revision}`, stream, revision: BigInt(revision) }) as Entry

/** A log in which each stream has been passed up to some revision; pages have two events, and `meanwhile` happens while one is read. */
function passed(upTo: { [stream: string]: number }, meanwhile = () => {}) {
  let reads = 0
  const read: ReadStream = async (stream, from) => {
    reads += 1
    const revisions = [Number(from), Number(from) + 1].filter((revision) => revision <= (upTo[stream] ?? -1))
    meanwhile()
    const entries = revisions.map((revision) => entry(stream, revision))
    return { entries, last: entries.at(-1)?.revision, isAll: entries.length < 2 }
  }
  return { read, upTo, reads: () => reads }
}

async function deliverAll(waiting: ReturnType<typeof waitingStreams>): Promise<string[]> {
  const delivered: string[] = []
  for (let next = waiting.next(); next; next = waiting.next()) {
    const head = await waiting.head(next)
    if (!head) continue
    delivered.push(head.id)
    waiting.settle(next)
  }
  return delivered
}

test('events of a stream are delivered in their order, and the log is not read for it', async (t) => {
  const log = passed({})
  const waiting = waitingStreams([], log.read)
  for (const revision of [0, 1, 2]) waiting.take(entry('a', revision))
  waiting.take(entry('b', 7))
  t.is(waiting.size(), 2)
  const delivered = await deliverAll(waiting)
  t.deepEqual(
    delivered.filter((id) => id.startsWith('a')),
    ['a@0', 'a@1', 'a@2'],
  )
  t.true(delivered.includes('b@7'))
  t.is(waiting.size(), 0)
  t.is(log.reads(), 0)
})

test('of a stream that is held up the place is kept, and the rest is read when it goes on', async (t) => {
  const log = passed({ a: 0 })
  const waiting = waitingStreams([], log.read)
  for (const revision of [0, 1, 2]) waiting.take(entry('a', revision))
  const [a] = [waiting.next()!]
  await waiting.head(a)
  waiting.postpone(a, { at: 5, dueAt: 1_000 })
  for (let revision = 3; revision < 8; revision++) waiting.take(entry('a', revision))
  log.upTo.a = 7
  t.deepEqual(waiting.places(), [{ stream: 'a', revision: '0', attempts: 1, since: 5, dueAt: 1_000 }])
  waiting.take(entry('b', 0))
  t.is(waiting.next()!.stream, 'b')
  t.deepEqual(await deliverAll(waiting), ['b@0', 'a@0', 'a@1', 'a@2', 'a@3', 'a@4', 'a@5', 'a@6', 'a@7'])
})

test('what is taken while its stream is read is neither lost nor delivered twice', async (t) => {
  let more = true
  const log = passed({ a: 3 }, () => {
    if (!more) return
    more = false
    waiting.take(entry('a', 4))
    log.upTo.a = 4
  })
  const waiting = waitingStreams([{ stream: 'a', revision: '2', attempts: 3, since: 1, dueAt: 0 }], log.read)
  t.deepEqual(await deliverAll(waiting), ['a@2', 'a@3', 'a@4'])
  t.is(waiting.size(), 0)
})

test('a stream whose events are in the log no more is forgotten', async (t) => {
  const waiting = waitingStreams([{ stream: 'a', revision: '2', attempts: 3, since: 1, dueAt: 0 }], passed({}).read)
  t.deepEqual(await deliverAll(waiting), [])
  t.is(waiting.size(), 0)
})

test('both streams and events are bounded, and what is held up takes no room of the events', async (t) => {
  const waiting = waitingStreams([], passed({}).read)
  for (let revision = 0; revision < 499; revision++) waiting.take(entry('a', revision))
  t.false(waiting.isFull())
  waiting.take(entry('a', 499))
  t.true(waiting.isFull())
  waiting.postpone(waiting.next()!, { at: 1, dueAt: 2 })
  t.false(waiting.isFull())
  for (let n = 0; n < 99; n++) waiting.take(entry(`b${n}`, 0))
  t.true(waiting.isFull())
})

test('all that waits can be woken, or begin anew', (t) => {
  const places = ['a', 'b'].map((stream, n) => ({ stream, revision: '0', attempts: 2, since: 1, dueAt: 1_000 * (n + 1) }))
  const waiting = waitingStreams(places, passed({}).read)
  t.is(waiting.nextDueAt(), 1_000)
  waiting.wake(50)
  t.deepEqual(
    waiting.places().map(({ dueAt, attempts }) => [dueAt, attempts]),
    [
      [50, 2],
      [50, 2],
    ],
  )
  waiting.restart()
  t.deepEqual(
    waiting.places().map(({ dueAt, attempts, since }) => [dueAt, attempts, since]),
    [
      [0, 0, null],
      [0, 0, null],
    ],
  )
})
