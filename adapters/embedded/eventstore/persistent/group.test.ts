import test from 'ava'
import type { RecordedEvent } from '../log/event.ts'
import type { Consumer } from './consumer.ts'
import { answered, createGroup, dispatch, expired, type Group, leave, messageOf, parked, retry, settledUpTo } from './group.ts'
import type { GroupSettings, StrategyName } from './settings.ts'

const settings: GroupSettings = {
  resolveLinks: false,
  extraStatistics: false,
  maxRetryCount: 2,
  maxSubscriberCount: 0,
  messageTimeoutMs: 1000,
  checkpointAfterMs: 1000,
  minCheckpointCount: 1,
  maxCheckpointCount: 10,
  liveBufferSize: 10,
  readBatchSize: 5,
  historyBufferSize: 10,
  strategy: 'RoundRobin',
}

const event = (revision: number, stream = 's'): RecordedEvent => ({
  id: `event-${stream}-${revision}`,
  type: 't',
  json: false,
  data: new Uint8Array(),
  metadata: new Uint8Array(),
  stream,
  revision,
  position: revision + 1,
  created: 0,
})

/** A group with `count` messages waiting and consumers of these capacities. */
function groupWith(count: number, capacities: number[], strategy: StrategyName = 'RoundRobin'): { group: Group; consumers: Consumer[] } {
  const group = createGroup({ ...settings, strategy })
  for (let n = 0; n < count; n += 1) group.waiting.push(messageOf({ event: event(n) }, { key: n }))
  const consumers = capacities.map((capacity, n) => ({ id: `c${n}`, name: '', capacity, inFlight: 0, totalItems: 0, blocked: false }))
  group.consumers = [...consumers]
  return { group, consumers }
}

const handedOut = (group: Group, now = 0) =>
  dispatch(group, now, 100).map(({ consumer, message }) => `${consumer.id}:${message.key} retry ${message.retryCount}`)

test('consumers take turns, and get no more than their buffers hold', (t) => {
  const { group, consumers } = groupWith(6, [2, 3])
  t.deepEqual(handedOut(group), ['c0:0 retry 0', 'c1:1 retry 0', 'c0:2 retry 0', 'c1:3 retry 0', 'c1:4 retry 0'])
  t.deepEqual(handedOut(group), [])
  answered(group, consumers[0]!, ['event-s-0'])
  t.deepEqual(handedOut(group), ['c0:5 retry 0'])
})

test('nothing is handed to a consumer whose connection is blocked, nor more than the limit at once', (t) => {
  const { group, consumers } = groupWith(6, [9, 9])
  consumers[0]!.blocked = true
  t.deepEqual(
    dispatch(group, 0, 2).map(({ consumer, message }) => `${consumer.id}:${message.key}`),
    ['c1:0', 'c1:1'],
  )
  t.is(group.waiting.length, 4)
})

test('a single consumer gets everything until its buffer is full', (t) => {
  const { group } = groupWith(5, [3, 3], 'DispatchToSingle')
  t.deepEqual(
    dispatch(group, 0, 100).map(({ consumer }) => consumer.id),
    ['c0', 'c0', 'c0', 'c1', 'c1'],
  )
})

test('pinned, the events of one stream go to one consumer, and wait for it', (t) => {
  const { group } = groupWith(0, [100, 100, 100], 'Pinned')
  for (let n = 0; n < 60; n += 1) group.waiting.push(messageOf({ event: event(n, `s${n % 6}`) }, { key: n }))
  const owners = new Map<string, Set<string>>()
  for (const { consumer, message } of dispatch(group, 0, 100)) {
    const { stream } = message.resolved.event!
    owners.set(stream, (owners.get(stream) ?? new Set()).add(consumer.id))
  }
  t.is(owners.size, 6)
  t.true([...owners.values()].every(({ size }) => size === 1))

  const small = groupWith(5, [2], 'Pinned')
  t.is(dispatch(small.group, 0, 100).length, 2)
})

test('a message is delivered once more than it may be retried, then parked', (t) => {
  const { group, consumers } = groupWith(1, [5])
  for (const count of [0, 1, 2]) {
    t.deepEqual(handedOut(group), [`c0:0 retry ${count}`])
    const back = answered(group, consumers[0]!, ['event-s-0'])
    t.is(retry(group, back).length, count === 2 ? 1 : 0)
  }
  t.deepEqual(handedOut(group), [])
})

test('what is late or was left behind comes again, before new messages', (t) => {
  const { group, consumers } = groupWith(3, [2])
  handedOut(group, 0)
  t.deepEqual(expired(group, 999), [])
  const late = expired(group, 1000)
  t.is(late.length, 2)
  retry(group, late)
  t.deepEqual(handedOut(group, 1000), ['c0:0 retry 1', 'c0:1 retry 1'])
  retry(group, leave(group, consumers[0]!))
  t.deepEqual(handedOut(group), [])
  group.consumers = [{ id: 'c9', name: '', capacity: 9, inFlight: 0, totalItems: 0, blocked: false }]
  t.deepEqual(handedOut(group), ['c9:0 retry 2', 'c9:1 retry 2', 'c9:2 retry 0'])
})

test('a consumer answers only for what it was given', (t) => {
  const { group, consumers } = groupWith(2, [1, 1])
  handedOut(group)
  t.deepEqual(answered(group, consumers[0]!, ['event-s-1', 'unknown']), [])
  t.is(answered(group, consumers[1]!, ['event-s-1']).length, 1)
})

test('everything is settled up to the first message that is not, and parking counts when it is done', (t) => {
  const { group, consumers } = groupWith(4, [10])
  handedOut(group)
  answered(group, consumers[0]!, ['event-s-0', 'event-s-2'])
  t.is(settledUpTo(group, 3), 0)
  const [second] = answered(group, consumers[0]!, ['event-s-1'])
  const exhausted = retry(group, [{ ...second!, retryCount: 2 }])
  t.is(settledUpTo(group, 3), 0)
  parked(group, exhausted[0]!)
  t.is(settledUpTo(group, 3), 2)
  answered(group, consumers[0]!, ['event-s-3'])
  t.is(settledUpTo(group, 3), 3)
})

test('two events with one id are delivered one after the other', (t) => {
  const { group, consumers } = groupWith(0, [10])
  for (const key of [0, 1]) group.waiting.push(messageOf({ event: { ...event(key), id: 'same' } }, { key }))
  t.deepEqual(handedOut(group), ['c0:0 retry 0'])
  answered(group, consumers[0]!, ['same'])
  t.deepEqual(handedOut(group), ['c0:1 retry 0'])
})
