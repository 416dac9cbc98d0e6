import test from 'ava'
import { NO_STREAM } from './event.ts'
import { openLog } from './log.ts'
import { createMemoryStorage } from './memory-storage.ts'
import type { Storage } from './storage.ts'
import { append, bytesOf, events, everything, openQuietly, storageOf, typesOf } from './testing/logs.ts'

type Operation = 'write' | 'cut' | 'create' | 'remove'

/** A storage of which the next operation of a kind can be made to fail, having done a part of it. */
function failing(): { storage: Storage; failNext(operation: Operation, code: string, bytesDone?: number): void } {
  const memory = createMemoryStorage()
  const faults = new Map<Operation, { code: string; bytesDone: number }>()
  const fault = (operation: Operation) => {
    const found = faults.get(operation)
    faults.delete(operation)
    return found
  }
  const errorOf = ({ code }: { code: string }) => Object.assign(new Error(`${code}: simulated`), { code })
  const storage: Storage = {
    ...memory,
    write(segment, offset, bytes) {
      const found = fault('write')
      memory.write(segment, offset, bytes.subarray(0, found?.bytesDone))
      if (found) throw errorOf(found)
    },
    create(segment, bytes) {
      const found = fault('create')
      memory.create(segment, bytes.subarray(0, found?.bytesDone))
      if (found) throw errorOf(found)
    },
    cut(segment, length) {
      const found = fault('cut')
      if (found) throw errorOf(found)
      memory.cut(segment, length)
    },
    remove(segment) {
      const found = fault('remove')
      if (found) throw errorOf(found)
      memory.remove(segment)
    },
  }
  return { storage, failNext: (operation, code, bytesDone = 0) => void faults.set(operation, { code, bytesDone }) }
}

const reopened = (storage: Storage) => typesOf({ events: everything(openQuietly(storageOf(bytesOf(storage)))) })

test('a commit for which there is no room is rejected as a whole, and the next one is stored', (t) => {
  const { storage, failNext } = failing()
  const log = openQuietly(storage)
  append(log, 's', events('a'))
  for (const bytesDone of [0, 1, 40, 120]) {
    failNext('write', 'ENOSPC', bytesDone)
    const lost = events('lost', 'lost')
    t.throws(() => append(log, 'new', lost), { code: 'ENOSPC' })
    t.is(log.head(), 1)
    t.is(log.lastRevision('new'), NO_STREAM)
    t.is(log.revisionOf('new', lost[0]!.id), undefined)
    t.deepEqual(reopened(storage), ['a'])
  }
  append(log, 's', events('b'))
  t.deepEqual(typesOf(log.readStream('s', 0, 'forwards', 9)), ['a', 'b'])
  t.deepEqual(reopened(storage), ['a', 'b'])
})

test('after any other failure nothing is stored until a restart, but what was stored can be read', (t) => {
  const { storage, failNext } = failing()
  const lines: string[] = []
  const log = openLog(storage, (line) => lines.push(line))
  append(log, 's', events('a'))
  failNext('write', 'EIO', 50)
  t.throws(() => append(log, 's', events('lost')), { code: 'EIO' })
  t.throws(() => append(log, 's', events('refused')), { code: 'log_failed' })
  t.deepEqual(typesOf({ events: everything(log) }), ['a'])
  t.is(lines.length, 1)
  t.regex(lines[0]!, /^log_failed: segment 1 in memory could not be written/)
  t.deepEqual(reopened(storage), ['a'])
})

test('when part of a commit cannot be taken away, nothing is stored after it', (t) => {
  const { storage, failNext } = failing()
  const log = openQuietly(storage)
  append(log, 's', events('a'))
  failNext('write', 'ENOSPC', 50)
  failNext('cut', 'EIO')
  t.throws(() => append(log, 's', events('lost')), { code: 'ENOSPC' })
  t.throws(() => append(log, 's', events('refused')), { code: 'log_failed' })
  t.deepEqual(reopened(storage), ['a'])
})

test('when no further segment can be made, the log goes on once it can', (t) => {
  const { storage, failNext } = failing()
  const log = openQuietly(storage, 500)
  append(log, 's', events('a', 'b'))
  failNext('create', 'ENOSPC', 30)
  t.throws(() => append(log, 's', events('lost', 'lost')), { code: 'ENOSPC' })
  t.is(storage.segments().length, 1)
  append(log, 's', events('c'))
  append(log, 's', events('d', 'e'))
  t.deepEqual(reopened(storage), ['a', 'b', 'c', 'd', 'e'])
  failNext('create', 'ENOSPC', 30)
  failNext('remove', 'EIO')
  t.throws(() => append(log, 's', events('lost', 'lost', 'lost', 'lost')))
  t.throws(() => append(log, 's', events('refused')), { code: 'log_failed' })
  t.deepEqual(reopened(storage), ['a', 'b', 'c', 'd', 'e'])
})
