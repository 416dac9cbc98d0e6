import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import anyTest, { type ExecutionContext } from 'ava'
import { connectScavengedStore } from '../../adapters/eventstore/scavenged-store.ts'
import { startServer } from './server-process.ts'
import { parseTrace, type Syscall, whyNotDurable, whyNotReplaced } from './syscalls.ts'
import { CLASSIC } from './writers.ts'

const TRACED = 'openat,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,fsync,fdatasync,rename,renameat,renameat2'

/** One after another: who closes one client ends the appends of the others in its process. */
const test = anyTest.serial

/** strace needs the right to trace, too, which a container may not have. */
const works = spawnSync('strace', ['-f', '-e', 'trace=none', 'true']).status === 0

/** Has a server of its own do something, and returns what it asked of the system. */
async function traced(t: ExecutionContext, work: (url: string) => Promise<void>): Promise<{ calls: Syscall[]; dataDir: string }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'quorate-fsync-')))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [dataDir, trace] = [join(folder, 'data'), join(folder, 'trace')]
  // The tracer runs beside the server (-D), so that signals reach the server itself.
  const under = ['strace', '-D', '-f', '-y', '-s', '16384', '-e', `trace=${TRACED}`, '-e', 'signal=none', '-o', trace]
  const server = await startServer({ dataDir, under, env: { UV_USE_IO_URING: '0' } })
  await work(server.url)
  await server.stop()
  return { calls: parseTrace(await readFile(trace, 'utf8')), dataDir }
}

if (works) {
  test('a segment that is scavenged takes its name when it is on the disk, and nobody hears of it before that is', async (t) => {
    const { calls } = await traced(t, async (url) => {
      const client = EventStoreDBClient.connectionString(url)
      const store = connectScavengedStore(url)
      await client.setStreamMetadata('short', { maxCount: 1 })
      for (let n = 0; n < 3; n++) await client.appendToStream('short', jsonEvent({ type: 'Happened', data: { n } }))
      const id = await store.startScavenge()
      while (!(await store.outcomeOf(id))) await delay(5)
      await store.close()
      await client.dispose()
    })
    t.is(whyNotReplaced(calls, '$scavengeChunksCompleted'), undefined)
  })

  test('an append is answered only when its bytes are on the disk', async (t) => {
    const batch: string[] = []
    const classic: string[] = []
    const { calls, dataDir } = await traced(t, async (url) => {
      const client = EventStoreDBClient.connectionString(url)
      // A stream's name is in what is stored, and in what is answered to a batch append.
      const append = async (call: object = {}) => {
        const stream = `durable-${randomUUID()}`
        await client.appendToStream(stream, jsonEvent({ type: 'Happened', data: {} }), call)
        return stream
      }
      for (let n = 0; n < 20; n++) batch.push(await append())
      batch.push(...(await Promise.all(Array.from({ length: 100 }, () => append()))))
      for (let n = 0; n < 20; n++) classic.push(await append(CLASSIC))
      await client.dispose()
    })
    const reasons = [
      ...batch.map((stream) => whyNotDurable(calls, dataDir, stream)),
      ...classic.slice(1).map((next, index) => whyNotDurable(calls, dataDir, classic[index]!, next)),
    ]
    t.is(reasons.length, 139)
    t.deepEqual(
      reasons.filter((reason) => reason !== undefined),
      [],
    )
  })
} else test.skip('strace is not installed, or may not trace: nobody has looked whether appends are synced', () => {})
