import test, { type ExecutionContext } from 'ava'
import { createCommitQueue } from '../log/commit-queue.ts'
import type { Log } from '../log/log.ts'
import { createMemoryStorage } from '../log/memory-storage.ts'
import { events, openQuietly } from '../log/testing/logs.ts'
import { hideOldCheckpoints } from './checkpoint.ts'
import type { Consumer, Message } from './consumer.ts'
import { createGroupStore } from './group-store.ts'
import type { NackAction, Runner } from './runner.ts'
import type { GroupSettings } from './settings.ts'
import { type PersistentSubscriptions, startPersistentSubscriptions } from './subsystem.ts'

const settings: GroupSettings = {
  resolveLinks: true,
  extraStatistics: false,
  maxRetryCount: 2,
  maxSubscriberCount: 0,
  messageTimeoutMs: 60_000,
  checkpointAfterMs: 60_000,
  minCheckpointCount: 1,
  maxCheckpointCount: 1,
  liveBufferSize: 10,
  readBatchSize: 5,
  historyBufferSize: 10,
  strategy: 'RoundRobin',
}

const KEY = { source: 's', name: 'group' }

function startOn(log: Log): PersistentSubscriptions {
  return startPersistentSubscriptions(
    log,
    createCommitQueue(log, () => {}),
    createGroupStore(log),
    () => {},
  )
}

/** A log and its groups, which can be started anew from what is stored. */
function server(t: ExecutionContext) {
  const log = openQuietly(createMemoryStorage())
  let groups = startOn(log)
  t.teardown(() => groups.close())
  return {
    log,
    groups: () => groups,
    async restart() {
      await groups.close()
      groups = startOn(log)
    },
    append(count: number): void {
      log.stage(() => log.append('s', events(...Array.from({ length: count }, () => 'a')), 1))
      log.commit()
    },
  }
}

/** Takes the next `count` messages of a group and answers each. Resolves with the revisions of their events. */
function consume(runner: Runner, count: number, action: NackAction | 'ack'): Promise<number[]> {
  const consumer: Consumer = { id: 'c', name: 'c', capacity: 10, inFlight: 0, totalItems: 0, blocked: false }
  return new Promise((resolve) => {
    const seen: number[] = []
    const answer = ({ id, resolved }: Message) => {
      seen.push(resolved.event!.revision)
      if (action === 'ack') runner.ack(consumer, [id])
      else runner.nack(consumer, [id], action, 'no')
      if (seen.length < count) return
      runner.disconnect(consumer)
      resolve(seen)
    }
    const deliver = (message: Message) => {
      setImmediate(answer, message)
      return true
    }
    runner.connect(consumer, { deliver, drop: () => {} })
  })
}

const found = (groups: PersistentSubscriptions) => groups.find(KEY)!

test('a group goes on after a restart where its checkpoint is', async (t) => {
  const { groups, restart, append } = server(t)
  await groups().create(KEY, { settings, startFrom: 'start' })
  append(3)
  t.deepEqual(await consume(found(groups()), 3, 'ack'), [0, 1, 2])
  await restart()
  append(1)
  t.deepEqual(await consume(found(groups()), 1, 'ack'), [3])
})

test('a group that is made again after its deletion keeps its checkpoint and what it parks as the first one did', async (t) => {
  const { groups, restart, append } = server(t)
  await groups().create(KEY, { settings, startFrom: 'start' })
  append(4)
  await consume(found(groups()), 2, 'ack')
  await consume(found(groups()), 2, 'park')
  await restart()
  t.is(found(groups()).parkedCount(), 2)
  await groups().delete(KEY)

  await groups().create(KEY, { settings, startFrom: 'start' })
  t.is(found(groups()).parkedCount(), 0)
  t.deepEqual(await consume(found(groups()), 1, 'park'), [0])
  t.deepEqual(await consume(found(groups()), 2, 'ack'), [1, 2])
  await restart()
  t.is(found(groups()).parkedCount(), 1)
  t.deepEqual(await consume(found(groups()), 1, 'ack'), [3])
  found(groups()).replayParked(1)
  t.deepEqual(await consume(found(groups()), 1, 'ack'), [0])
})

test('a group that is made again after its deletion begins anew, also after a restart and where old checkpoints are hidden', async (t) => {
  const { log, groups, restart, append } = server(t)
  await groups().create(KEY, { settings, startFrom: 'start' })
  append(3)
  await consume(found(groups()), 3, 'ack')
  await groups().delete(KEY)
  await groups().create(KEY, { settings, startFrom: 'start' })
  log.stage(() => hideOldCheckpoints(log, createGroupStore(log).load()))
  log.commit()
  await restart()
  t.is(found(groups()).checkpoint(), undefined)
  t.deepEqual(await consume(found(groups()), 1, 'ack'), [0])
})

test('changes of a group follow one another: one that is being changed is not made a second time', async (t) => {
  const { groups } = server(t)
  const request = { settings, startFrom: 'start' } as const
  t.deepEqual(await Promise.all([groups().create(KEY, request), groups().create(KEY, request)]), [true, false])
  t.deepEqual(await Promise.all([groups().update(KEY, request), groups().create(KEY, request)]), [true, false])
  t.deepEqual(await Promise.all([groups().delete(KEY), groups().update(KEY, request), groups().create(KEY, request)]), [true, false, true])
  t.is(groups().list().length, 1)
})

test('a group that could not be stored is not there, and one that could not be changed stays as it was', async (t) => {
  const memory = createMemoryStorage()
  let full = false
  const log = openQuietly({
    ...memory,
    write(...written) {
      if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      memory.write(...written)
    },
  })
  const groups = startOn(log)
  t.teardown(() => groups.close())
  full = true
  await t.throwsAsync(groups.create(KEY, { settings, startFrom: 'start' }), { code: 'ENOSPC' } as object)
  t.is(groups.find(KEY), undefined)
  full = false
  t.true(await groups.create(KEY, { settings, startFrom: 'start' }))
  full = true
  await t.throwsAsync(groups.update(KEY, { settings, startFrom: 'end' }), { code: 'ENOSPC' } as object)
  await t.throwsAsync(groups.delete(KEY), { code: 'ENOSPC' } as object)
  full = false
  t.is(groups.find(KEY)?.config.startFrom, 'start')
})
