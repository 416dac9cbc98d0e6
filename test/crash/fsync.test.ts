import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import test from 'ava'
import { startServer } from './server-process.ts'
import { parseTrace, whyNotDurable } from './syscalls.ts'
import { CLASSIC } from './writers.ts'

const TRACED = 'openat,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,fsync,fdatasync'

/** strace needs the right to trace, too, which a container may not have. */
const works = spawnSync('strace', ['-f', '-e', 'trace=none', 'true']).status === 0

if (works) {
  test('an append is answered only when its bytes are on the disk', async (t) => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'quorate-fsync-')))
    const [dataDir, trace] = [join(folder, 'data'), join(folder, 'trace')]
    // The tracer runs beside the server (-D), so that signals reach the server itself.
    const under = ['strace', '-D', '-f', '-y', '-s', '16384', '-e', `trace=${TRACED}`, '-e', 'signal=none', '-o', trace]
    const server = await startServer({ dataDir, under, env: { UV_USE_IO_URING: '0' } })
    const client = EventStoreDBClient.connectionString(server.url)
    // A stream's name is in what is stored, and in what is answered to a batch append.
    const append = async (call: object = {}) => {
      const stream = `durable-${randomUUID()}`
      await client.appendToStream(stream, jsonEvent({ type: 'Happened', data: {} }), call)
      return stream
    }
    const batch: string[] = []
    const classic: string[] = []
    for (let n = 0; n < 20; n++) batch.push(await append())
    batch.push(...(await Promise.all(Array.from({ length: 100 }, () => append()))))
    for (let n = 0; n < 20; n++) classic.push(await append(CLASSIC))
    await client.dispose()
    await server.stop()
    const calls = parseTrace(await readFile(trace, 'utf8'))
    const reasons = [
      ...batch.map((stream) => whyNotDurable(calls, dataDir, stream)),
      ...classic.slice(1).map((next, index) => whyNotDurable(calls, dataDir, classic[index]!, next)),
    ]
    t.is(reasons.length, 139)
    t.deepEqual(
      reasons.filter((reason) => reason !== undefined),
      [],
    )
    await rm(folder, { recursive: true })
  })
} else test.skip('strace is not installed, or may not trace: nobody has looked whether appends are synced', () => {})
