import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'
import { portToKeep } from '../../../test/port-to-keep.ts'

const SCRIPT = resolve(import.meta.dirname, '../../../scripts/embedded.js')

export type ServerProcess = {
  url: string
  port: number
  /** Without a chance to say goodbye. */
  kill(): Promise<void>
  /** On the same port and the same data. */
  restart(): Promise<void>
  /** Neither answers nor goes away. */
  freeze(): void
  thaw(): void
}

/** An embedded event store in a process of its own, on disk, gone when the test is over. */
export async function startServerProcess(t: ExecutionContext): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-eventstore-'))
  let child: ChildProcess
  const port = await portToKeep()
  const start = async (): Promise<string> => {
    child = spawn(process.execPath, [SCRIPT, 'eventstore', '--port', String(port), '--data', dataDir], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    return line.toString().trim()
  }
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const url = await start()
  t.teardown(async () => {
    await kill()
    await rm(dataDir, { recursive: true })
  })
  return {
    url,
    port,
    kill,
    restart: async () => void (await start()),
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
  }
}

/** A way to a server whose connections can fall silent: those there are stay open, and nothing comes through any more. */
export async function startProxy(t: ExecutionContext, port: number): Promise<{ url: string; silence(): void }> {
  const sockets: Socket[] = []
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    sockets.push(near, far)
    for (const socket of [near, far]) socket.on('error', () => {})
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return {
    url: `esdb://127.0.0.1:${(proxy.address() as { port: number }).port}?tls=false`,
    silence() {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}
