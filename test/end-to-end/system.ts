import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Client, connectClient } from '../../scripts/client/client.ts'
import type { DevelopmentClient } from '../../scripts/supervisor/development-client.ts'

const DIST = join(import.meta.dirname, '../..')
const START_WITHIN_MS = 110_000
const LOOK_EVERY_MS = 100

/** A Quorate started as a user would start it, in a data folder of its own. */
export type TestSystem = {
  dataDir: string
  dev: DevelopmentClient
  client: Client
  /** Pids of the processes whose command line matches. */
  processes(pattern: RegExp): Promise<number[]>
  /** SIGKILL to the supervisor and every child. */
  killEverything(): Promise<void>
  /** Starts it again over the same data folder. */
  startAgain(): Promise<void>
  /** Runs a script of the package against the data folder and returns what it prints. */
  run(script: string, ...args: string[]): Promise<string>
  stop(): Promise<void>
}

export async function startTestSystem({
  parties = 3,
  chainsFile = '',
}: {
  parties?: number
  chainsFile?: string
} = {}): Promise<TestSystem> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-test-'))
  const env = {
    ...process.env,
    QUORATE_DATA_DIR: dataDir,
    QUORATE_PORT: '0',
    QUORATE_PARTIES: String(parties),
    QUORATE_LOG_LEVEL: 'error',
    QUORATE_CHAINS: chainsFile,
  }
  let supervisor: ChildProcess
  const system: TestSystem = {
    dataDir,
    dev: undefined as never,
    client: undefined as never,

    async processes(pattern) {
      return (await childrenOf(supervisor.pid as number)).filter(({ command }) => pattern.test(command)).map(({ pid }) => pid)
    },

    async killEverything() {
      const children = await childrenOf(supervisor.pid as number)
      supervisor.kill('SIGKILL')
      for (const { pid } of children) signal(pid, 'SIGKILL')
      await ended(supervisor)
      await until(async () => children.every(({ pid }) => !lives(pid)), 'every process to be gone')
      await rm(join(dataDir, 'dev-client.json'), { force: true })
    },

    async startAgain() {
      supervisor = spawn(process.execPath, [join(DIST, 'scripts/start.js')], { env, stdio: ['ignore', 'ignore', 'inherit'] })
      system.dev = await until(async () => {
        if (supervisor.exitCode !== null) throw new Error(`the supervisor ended with ${supervisor.exitCode}`)
        return readFile(join(dataDir, 'dev-client.json'), 'utf8').then(JSON.parse, () => undefined)
      }, 'dev-client.json')
      system.client = connectClient(system.dev)
    },

    async run(script, ...args) {
      const { stdout } = await promisify(execFile)(process.execPath, [join(DIST, `scripts/${script}.js`), ...args], {
        env,
        timeout: START_WITHIN_MS,
      })
      return stdout
    },

    async stop() {
      const children = await childrenOf(supervisor.pid as number)
      supervisor.kill('SIGTERM')
      await ended(supervisor)
      await rm(dataDir, { recursive: true, force: true })
      await until(async () => children.every(({ pid }) => !lives(pid)), 'every child to end with its supervisor', 10_000)
    },
  }
  await system.startAgain()
  return system
}

/** What the condition returns once it holds. */
export async function until<T>(condition: () => Promise<T | undefined | false>, what: string, withinMs = START_WITHIN_MS): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const held = await condition()
    if (held) return held
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`)
    await delay(LOOK_EVERY_MS)
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function childrenOf(parent: number): Promise<{ pid: number; command: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='])
  const all = [...stdout.matchAll(/^ *(\d+) +(\d+) +(\S+) +(.*)$/gm)]
    .filter(([, , , state]) => !state?.startsWith('Z'))
    .map(([, pid, ppid, , command]) => ({ pid: Number(pid), ppid: Number(ppid), command: command as string }))
  const found: { pid: number; command: string }[] = []
  const collect = (of: number) => {
    for (const child of all.filter(({ ppid }) => ppid === of)) {
      found.push(child)
      collect(child.pid)
    }
  }
  collect(parent)
  return found
}
