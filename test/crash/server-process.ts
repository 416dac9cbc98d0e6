import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

const SCRIPT = resolve(import.meta.dirname, '../../scripts/embedded.js')
const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 15_000
/** Lines of the log that are kept. */
const LOG_LINES = 200

export type ServerOptions = {
  /** Where it keeps its data; in memory without. */
  dataDir?: string
  /** Any free one without. */
  port?: number
  /** A program and its arguments to run the server under. */
  under?: readonly string[]
  env?: NodeJS.ProcessEnv
}

/** An embedded event store in a process of its own, seen from outside: what it prints, and how it ends. */
export type ServerProcess = {
  /** `esdb://127.0.0.1:PORT?tls=false`, once it answers; undefined when it ended before. */
  url: Promise<string | undefined>
  /** Its standard error so far, the newest lines. */
  log: readonly string[]
  /** How it ended, once it has and all its output is read. */
  exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** SIGKILL, without waiting. */
  kill(): void
  /** SIGTERM, and SIGKILL when that does not help; resolves when it has ended. */
  stop(): Promise<void>
}

export function spawnServer({ dataDir, port = 0, under = [], env = {} }: ServerOptions = {}): ServerProcess {
  const args = ['eventstore', '--port', String(port), ...(dataDir === undefined ? [] : ['--data', dataDir])]
  const [command, ...rest] = [...under, process.execPath, SCRIPT, ...args] as [string, ...string[]]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  // A test that fails half-way leaves nothing behind.
  const abandoned = () => child.kill('SIGKILL')
  process.once('exit', abandoned)
  child.once('close', () => process.off('exit', abandoned))
  const log: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line)
    if (log.length > LOG_LINES) log.shift()
  })
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolveExit, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolveExit({ code, signal }))
  })
  const url = new Promise<string>((resolveUrl) => createInterface({ input: child.stdout }).once('line', resolveUrl))
  return {
    url: Promise.race([url, exit.then(() => undefined)]),
    log,
    exit,
    kill: () => void child.kill('SIGKILL'),
    stop: () => stop(child, exit),
  }
}

export type RunningServer = Omit<ServerProcess, 'url'> & { url: string }

/** @throws when it does not answer, with what it said */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const server = spawnServer(options)
  const timer = setTimeout(() => server.kill(), START_WITHIN_MS)
  try {
    const url = await server.url
    if (url === undefined) throw new Error(`the event store did not start: ${server.log.join('\n')}`)
    return { ...server, url }
  } finally {
    clearTimeout(timer)
  }
}

async function stop(child: ChildProcess, exit: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await exit
  clearTimeout(timer)
}
