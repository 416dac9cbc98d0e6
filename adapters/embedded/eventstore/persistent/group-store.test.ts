import test from 'ava'
import { createMemoryStorage } from '../log/memory-storage.ts'
import { openQuietly } from '../log/testing/logs.ts'
import { createGroupStore } from './group-store.ts'
import type { GroupConfig } from './settings.ts'

const config = (after: number): GroupConfig => ({
  settings: {
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
    strategy: 'Pinned',
  },
  startFrom: 'end',
  after,
  filter: { on: 'stream', prefixes: ['a'] },
})

test('groups are found again in the log, as they were saved last', (t) => {
  const log = openQuietly(createMemoryStorage())
  const store = createGroupStore(log)
  t.deepEqual(store.load(), [])
  const first = { source: 's', name: 'one' }
  const second = { source: '$all', name: 'one' }
  log.stage(() => {
    store.save(first, config(1))
    store.save(second, config(2))
    store.save(first, config(3))
  })
  log.commit()
  t.deepEqual(createGroupStore(log).load(), [
    { ...second, config: config(2) },
    { ...first, config: config(3) },
  ])
  log.stage(() => store.remove(second))
  log.commit()
  t.deepEqual(store.load(), [{ ...first, config: config(3) }])
})
