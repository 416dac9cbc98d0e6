import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openDiskStorage } from './disk-storage.ts'
import { type Log, openLog } from './log.ts'
import { append, events, everything, openQuietly, typesOf } from './testing/logs.ts'

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'log-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

const types = (log: Log) => typesOf({ events: everything(log) })

test('a log in a folder is there again, over several files', async (t) => {
  const path = await folder(t)
  const log = openQuietly(openDiskStorage(path), 3000)
  const expected = Array.from({ length: 50 }, (_, n) => `t${n}`)
  for (const type of expected) append(log, 's', events(type))
  t.deepEqual(types(log), expected)
  log.close()
  t.true((await readdir(path)).includes('00000002.log'))
  const lines: string[] = []
  const again = openLog(openDiskStorage(path), (line) => lines.push(line), 3000)
  t.deepEqual(types(again), expected)
  t.deepEqual(lines, [])
  append(again, 's', events('more'))
  t.is(again.lastRevision('s'), 50)
  again.close()
})

test('files grow by more than a commit, also by one of several megabytes', async (t) => {
  const path = await folder(t)
  const storage = openDiskStorage(path)
  const log = openQuietly(storage)
  append(log, 's', events('a'))
  append(log, 's', [{ ...events('large')[0]!, data: Buffer.alloc(2_500_000, 1) }])
  append(log, 's', events('b'))
  t.is(storage.segments()[0]!.length, 3 * 1024 * 1024)
  t.deepEqual(types(log), ['a', 'large', 'b'])
  log.close()
  const again = openQuietly(openDiskStorage(path))
  t.is(again.readStream('s', 1, 'forwards', 1).events[0]!.data.length, 2_500_000)
  again.close()
})

test('a folder belongs to one log at a time', async (t) => {
  const path = await folder(t)
  const log = openQuietly(openDiskStorage(path))
  t.throws(() => openDiskStorage(path), { name: 'FolderInUse', message: /in use by another server/ })
  log.close()
  openDiskStorage(path).close()
})

test('a torn file is reported with its path and cut', async (t) => {
  const path = await folder(t)
  const storage = openDiskStorage(path)
  const log = openQuietly(storage)
  append(log, 's', events('a'))
  append(log, 's', [{ ...events('b')[0]!, data: Buffer.alloc(1000, 1) }])
  log.close()
  const file = join(path, '00000001.log')
  await truncate(file, 700)
  const lines: string[] = []
  const again = openLog(openDiskStorage(path), (line) => lines.push(line))
  t.deepEqual(types(again), ['a'])
  t.is(lines.length, 1)
  t.true(lines[0]!.startsWith(`${file}: the last commit is torn or damaged; cut off `))
  again.close()
})

test('a log that cannot be opened leaves its folder free', async (t) => {
  const path = await folder(t)
  await writeFile(join(path, '00000001.log'), Buffer.alloc(500, 1))
  for (let attempt = 0; attempt < 2; attempt += 1) {
    t.throws(() => openQuietly(openDiskStorage(path)), { code: 'log_corrupt', message: /00000001\.log is damaged at offset 0/ })
  }
})

test('a folder with events in the former format is refused', async (t) => {
  const path = await folder(t)
  await writeFile(join(path, 'eventstore.db'), '')
  t.throws(() => openDiskStorage(path), { code: 'log_format', message: /eventstore\.db is of an earlier format/ })
})
