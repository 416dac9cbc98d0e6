import test from 'ava'
import type { EventLog, RecordedEvent, SubscriptionMessage } from '../domain/ports/event-log.ts'
import type { Checkpoint } from '../domain/ports/projections.ts'
import { groupFollowers, type LeftAt, openFeed } from './feed.ts'
import type { Batch, Follower } from './follower.ts'

function follower(id: string, from: Checkpoint, partitions: readonly number[] = [0]): Follower & { taken: Batch[] } {
  const taken: Batch[] = []
  const take = async (batch: Batch) => void taken.push(batch)
  return { build: { id }, from, partitions, taken, take } as unknown as Follower & { taken: Batch[] }
}

const at = (events: number): Checkpoint => ({ position: BigInt(events) * 10n, events })

const event = (position: bigint): SubscriptionMessage => ({
  kind: 'event',
  event: { position, recordedAt: '2026-01-01T00:00:00.000Z' } as RecordedEvent,
})

function saying(...batches: SubscriptionMessage[][]): { log: Pick<EventLog, 'subscribe'>; after: (bigint | undefined)[] } {
  const after: (bigint | undefined)[] = []
  return {
    after,
    log: {
      async *subscribe(options) {
        after.push(options.after)
        yield* batches
      },
    },
  }
}

async function run(followers: readonly Follower[], log: Pick<EventLog, 'subscribe'>) {
  const feed = openFeed(followers, new Map())
  await feed.run({ log, signal: new AbortController().signal, onLive: () => {} })
  return feed
}

const idsOf = (groups: readonly Follower[][]) => groups.map((group) => group.map(({ build }) => build.id))

test('one subscription serves all, from where the one begins that is furthest behind', async (t) => {
  const [a, b] = [follower('a', at(5)), follower('b', at(3))]
  const { log, after } = saying([event(40n)], [event(50n), { kind: 'caughtUp' }])
  const feed = await run([a, b], log)
  t.deepEqual(after, [30n])
  t.deepEqual(feed.at(), at(5))
  t.deepEqual(a.taken, b.taken)
  t.deepEqual(
    a.taken.flatMap(({ events }) => events.map((each) => each.event.position)),
    [40n, 50n],
  )
  t.true(a.taken.at(-1)?.live)
})

test('what comes again is passed over, and not counted', async (t) => {
  const only = follower('a', at(0))
  const feed = await run([only], saying([event(10n), event(20n), event(10n)], [event(20n), event(30n)]).log)
  t.deepEqual(
    only.taken.flatMap(({ events }) => events.map((each) => each.event.position)),
    [10n, 20n, 30n],
  )
  t.deepEqual(feed.at(), at(3))
})

test('a checkpoint moves the position, and is no event', async (t) => {
  const only = follower('a', at(0))
  const feed = await run([only], saying([event(10n), { kind: 'checkpoint', position: 70n }]).log)
  t.deepEqual(feed.at(), { position: 70n, events: 1 })
})

test('builds that are near each other read together, one that is far behind for itself', (t) => {
  const followers = [follower('far', at(10)), follower('near', at(99_000)), follower('head', at(100_000))]
  t.deepEqual(idsOf(groupFollowers(followers, new Map())), [['head', 'near'], ['far']])
})

test('builds that were live read together, however many events each has counted, unless one begins further back now', (t) => {
  const left = (position: bigint): LeftAt => ({ position, live: true, currentAt: 0 })
  const followers = [follower('old', at(1_000_000)), follower('new', at(10)), follower('taken-over', at(20))]
  const leftAt = new Map([
    ['old', left(10_000_000n)],
    ['new', left(100n)],
    ['taken-over', left(201n)],
  ])
  t.deepEqual(idsOf(groupFollowers(followers, leftAt)), [['old', 'new'], ['taken-over']])
})

test('nothing is read for a build of which the worker has no partition', (t) => {
  t.deepEqual(groupFollowers([follower('a', at(0), [])], new Map()), [])
})
