import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Acknowledged } from './claimant.ts'
import { parseTrace, whyNotDurable } from './syscalls.ts'

const TRACED = 'openat,write,pwrite64,fsync,fdatasync'
const CLAIMS = 64

/** strace needs the right to trace, too, which a container may not have. */
const works = spawnSync('strace', ['-f', '-e', 'trace=none', 'true']).status === 0

if (works) {
  test('a claim is acknowledged only when it is on the disk', async (t) => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'quorate-claims-')))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const trace = join(folder, 'trace')
    const data = join(folder, 'ledger.db')
    const claimant = [process.execPath, join(import.meta.dirname, 'claimant.js'), data, 'traced']
    const args = ['-D', '-f', '-y', '-s', '16384', '-e', `trace=${TRACED}`, '-e', 'signal=none', '-o', trace, ...claimant]
    const child = spawn('strace', args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, UV_USE_IO_URING: '0' } })
    let said = ''
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text
      if (said.split('\n').length > 1 + CLAIMS) break
    }
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
    const acknowledged: Acknowledged[] = said
      .split('\n')
      .slice(1, 1 + CLAIMS)
      .map((line) => JSON.parse(line))
    const calls = parseTrace(await readFile(trace, 'utf8'))
    t.deepEqual(
      acknowledged.map(({ sessionId }) => whyNotDurable(calls, data, sessionId)).filter((reason) => reason !== undefined),
      [],
    )
  })
} else test.skip('strace is not installed, or may not trace: nobody has looked whether claims are synced', () => {})
