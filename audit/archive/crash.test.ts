import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { folderStore } from '../../adapters/archive/folder-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { openLogIdentity } from '../../adapters/identity/log-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { isSame } from '../../domain/audit/merkle-tree.ts'
import { newEvents, rootOfLog } from '../testing/audited-log.ts'
import { sha256 } from '../testing/sha256.ts'
import { verifyArchive } from './verifying.ts'

const EVENTS = 1_000
const KILLS = 6
const COMMAND = join(import.meta.dirname, '../../scripts/archive.js')

test('killed at any moment, archiving leaves nothing that a reader would take for a segment, and no gap', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-archiving-'))
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
    await rm(folder, { recursive: true })
  })
  for (let stream = 0; stream < EVENTS / 100; stream++) await log.append(`wallet-${stream}`, 'no_stream', newEvents(100))
  const env = { ...process.env, QUORATE_DATA_DIR: folder, QUORATE_EVENTSTORE_URL: server.url, QUORATE_ARCHIVE_SEGMENT_EVENTS: '20' }
  const store = folderStore(join(folder, 'archive'))
  const run = (): ChildProcess => spawn(process.execPath, [COMMAND], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const { key } = await openLogIdentity({ dataDir: folder, origin: undefined })
  const verify = async () => verifyArchive({ store, format: await parquetFormat(), key, verify: verifyIdentity, sha256 })

  let killed = 0
  for (let round = 0; round < KILLS; round++) {
    const child = run()
    // Once it writes; then some time later, never twice the same.
    await Promise.race([once(child.stderr!, 'data'), once(child, 'exit')])
    await delay(Math.random() * 60)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      killed++
      await once(child, 'exit')
    }
    const { findings, events, segments } = await verify()
    t.deepEqual(findings, [])
    t.true(events <= EVENTS && events >= segments)
  }
  t.true(killed > 0)
  const mistyped = join(folder, 'mistyped')
  const stranger = spawn(process.execPath, [COMMAND], { env: { ...env, QUORATE_DATA_DIR: mistyped }, stdio: ['ignore', 'ignore', 'pipe'] })
  const [said, [refused]] = await Promise.all([text(stranger.stderr!), once(stranger, 'exit')])
  t.is(refused, 1)
  t.regex(said, /mistyped\/audit\/identity, the key of the log, is missing/)
  t.false(existsSync(mistyped))
  const last = run()
  const [code] = await once(last, 'exit')
  t.is(code, 0)
  const { findings, events, root, unreferenced } = await verify()
  t.deepEqual(findings, [])
  t.is(events, EVENTS)
  t.deepEqual(unreferenced, [])
  t.deepEqual(await readdir(join(folder, 'archive', '.unfinished')), [])
  t.true(isSame(root, (await rootOfLog(log)).root))
})
