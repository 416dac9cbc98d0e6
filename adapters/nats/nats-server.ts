import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { connect } from 'nats'
import { within } from './within.ts'

const START_WITHIN_MS = 10_000
const STOP_WITHIN_MS = 5_000

/**
 * Becomes the server, after leaving behind a watcher of standard input: the pipe breaks when this process dies, even by SIGKILL,
 * and the watcher then ends the server. Exit status 127 means that there is none on the PATH.
 */
const LAUNCH = 'exec 3<&0; (read -r _ <&3; kill "$$") 2>/dev/null & exec nats-server "$@" </dev/null 3<&-'

type Child = ChildProcessByStdio<Writable, null, Readable>

/** `url` is `nats://127.0.0.1:PORT`. */
export type NatsServer = {
  url: string
  port: number /** Resolves when the server has ended, for whatever reason. */
  exited: Promise<void>
  close(): Promise<void>
}

/**
 * Starts `nats-server` from the PATH on loopback, 0 for any free port; undefined when it is not installed.
 * It ends with this process.
 */
export async function startNatsServer({ port }: { port: number }): Promise<NatsServer | undefined> {
  const child = spawn('/bin/sh', ['-c', LAUNCH, 'sh', '-a', '127.0.0.1', '-p', port === 0 ? '-1' : String(port)], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit').then(ignore, ignore)
  async function close(): Promise<void> {
    child.kill('SIGTERM')
    await within(STOP_WITHIN_MS, exited)
    child.kill('SIGKILL')
  }
  const { port: listening, lastLine } = await readLog(child)
  if (listening === undefined) {
    await close()
    const absent = child.pid === undefined || child.exitCode === 127
    if (absent) return undefined
    throw new Error(`nats-server did not start: ${lastLine}`)
  }
  const url = `nats://127.0.0.1:${listening}`
  const probe = await connect({ servers: url, reconnect: false, timeout: START_WITHIN_MS })
  await probe.close()
  return { url, port: listening, exited, close }
}

const ignore = () => {}

/** The port that the server says it listens on; undefined when it ends, or says nothing of it for ten seconds. */
async function readLog(child: Child): Promise<{ port: number | undefined; lastLine: string }> {
  let port: number | undefined
  let lastLine = ''
  const announced = new Promise<void>((resolve) => {
    // Read to the end, so that the server never blocks on its log.
    const lines = createInterface({ input: child.stderr })
    lines.on('line', (line) => {
      lastLine = line
      const [, digits] = /Listening for client connections on \S+:(\d+)/.exec(line) ?? []
      if (digits !== undefined) port = Number(digits)
      if (port !== undefined) resolve()
    })
    lines.once('close', resolve)
    child.once('error', () => resolve())
  })
  await within(START_WITHIN_MS, announced)
  return { port, lastLine }
}
