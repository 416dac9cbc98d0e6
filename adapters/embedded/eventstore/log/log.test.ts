import { randomUUID } from 'node:crypto'
import test from 'ava'
import { openDatabase } from './database.ts'
import { commitDigest, GENESIS } from './digest.ts'
import { NO_STREAM, type ProposedEvent, TOMBSTONE } from './event.ts'
import { type Log, openLog } from './log.ts'

const events = (...types: string[]): ProposedEvent[] =>
  types.map((type) => ({ id: randomUUID(), type, json: false, data: Buffer.from(type), metadata: Buffer.alloc(0) }))

const LIMIT = { events: 100, rows: 100 }

function memory(): Log {
  return openLog(openDatabase(':memory:'))
}

const types = (page: { events: { type: string }[] }) => page.events.map(({ type }) => type)

test('reads begin anywhere within an append, in both directions', (t) => {
  const log = memory()
  log.transaction(() => log.append('s', events('a', 'b', 'c'), 1))
  log.transaction(() => log.append('other', events('x'), 1))
  log.transaction(() => log.append('s', events('d'), 1))
  t.deepEqual(types(log.readStream('s', 1, 'forwards', LIMIT)), ['b', 'c', 'd'])
  t.deepEqual(types(log.readStream('s', 1, 'backwards', LIMIT)), ['b', 'a'])
  t.deepEqual(types(log.readStream('s', 100, 'backwards', LIMIT)), ['d', 'c', 'b', 'a'])
  t.deepEqual(types(log.readAll(3, 'forwards', LIMIT)), ['c', 'x', 'd'])
  t.deepEqual(types(log.readAll(4, 'backwards', LIMIT)), ['x', 'c', 'b', 'a'])
  t.deepEqual(types(log.readStream('s', 4, 'forwards', LIMIT)), [])
})

test('pages follow one another without a gap, whatever their size', (t) => {
  const log = memory()
  for (const batch of [['a', 'b', 'c'], ['d'], ['e', 'f']]) log.transaction(() => log.append('s', events(...batch), 1))
  for (const limit of [
    { events: 1, rows: 100 },
    { events: 100, rows: 1 },
    { events: 2, rows: 2 },
  ]) {
    for (const [direction, from, expected] of [
      ['forwards', 0, 'abcdef'],
      ['backwards', 99, 'fedcba'],
    ] as const) {
      let seen = ''
      for (let next: number | undefined = from; next !== undefined; ) {
        const page = log.readStream('s', next, direction, limit)
        seen += types(page).join('')
        next = page.next
      }
      t.is(seen, expected)
    }
  }
})

test('a transaction that throws stores nothing and leaves nothing behind', (t) => {
  const log = memory()
  const first = events('a')
  log.transaction(() => log.append('s', first, 1))
  const lost = events('lost')
  t.throws(() =>
    log.transaction(() => {
      log.append('s', lost, 1)
      log.append('new', events('n'), 1)
      throw new Error('disk full')
    }),
  )
  t.is(log.head(), 1)
  t.is(log.lastRevision('s'), 0)
  t.is(log.lastRevision('new'), NO_STREAM)
  t.is(log.revisionOf('s', lost[0]!.id), undefined)
  t.is(log.revisionOf('s', first[0]!.id), 0)
  log.transaction(() => log.append('s', events('b'), 1))
  t.deepEqual(types(log.readAll(1, 'forwards', LIMIT)), ['a', 'b'])
})

test('a tombstone is the last revision there can be', (t) => {
  const log = memory()
  log.transaction(() => log.append('s', events('a'), 1))
  log.transaction(() => log.tombstone('s', events('end')[0]!, 1))
  t.is(log.lastRevision('s'), TOMBSTONE)
  t.is(log.readAll(2, 'forwards', LIMIT).events[0]?.revision, TOMBSTONE)
})

test('the digest of each commit covers its records and the commit before it', (t) => {
  const database = openDatabase(':memory:')
  const log = openLog(database)
  log.transaction(() => log.append('s', events('a', 'b'), 5))
  log.transaction(() => {
    log.append('s', events('c'), 6)
    log.append('u', events('d'), 6)
  })
  const rows = database
    .prepare(
      'select r.position, s.name as stream, r.revision, r.count, r.created, r.payload, r.digest from records r join streams s on s.id = r.stream',
    )
    .all([]) as {
    position: number
    stream: string
    revision: number
    count: number
    created: number
    payload: ArrayBuffer
    digest: ArrayBuffer | null
  }[]
  const [first, second, third] = rows.map((row) => ({ ...row, payload: Buffer.from(row.payload) }))
  const one = commitDigest(GENESIS, [first!])
  const two = commitDigest(one, [second!, third!])
  t.deepEqual(
    rows.map(({ digest }) => digest && Buffer.from(digest)),
    [one, null, two],
  )
  t.notDeepEqual(commitDigest(GENESIS, [{ ...first!, created: 7 }]), one)
})
