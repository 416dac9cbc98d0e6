import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Ready } from '../../adapters/process/lifecycle.ts'
import { NODE_FLAGS } from '../../adapters/process/node-flags.ts'

export type Running = { name: string; pid: number; ready: Ready }

export type Workplace = {
  /** A temporary folder. */
  folder: string
  /** Starts a process of Quorate and waits until it is ready. */
  start(plan: Plan): Promise<Running>
  /**
   * Runs a script to its end and resolves to what it wrote. `onStart` is told its process id, and `onErrorOutput` what it wrote to standard error, which is
   * passed on otherwise. @throws Error when it fails
   */
  run(plan: Plan & { withinMs: number; onStart(pid: number): void; onErrorOutput?(text: string): void }): Promise<string>
}

type Plan = {
  name: string
  entry: string
  args?: readonly string[]
  /** Options of Node. */
  execArgv?: readonly string[]
  env?: { [name: string]: string }
}

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 10_000

/**
 * Runs `work` beside the processes that it starts. However it ends, they are stopped, the last one first, and the folder is gone. It is given up
 * when one of them ends by itself, or on SIGINT or SIGTERM.
 */
export async function besideProcesses<T>(work: (workplace: Workplace) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-bench-'))
  const children: ChildProcess[] = []
  let over = false
  let giveUp = (_: Error) => {}
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const launch = ({ entry, args = [], execArgv = [], env = {} }: Plan, options: ForkOptions) => {
    if (over) throw new Error('the benchmark was given up')
    const flags = [...process.execArgv, ...NODE_FLAGS, ...execArgv]
    const child = fork(entry, args, { ...options, execArgv: flags, env: { ...environment(), ...env } })
    children.push(child)
    return child
  }
  const onSignal = (signal: NodeJS.Signals) => giveUp(new Error(`stopped by ${signal}`))
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    return await Promise.race([
      givenUp,
      work({
        folder,
        async start(plan) {
          const { name } = plan
          const child = launch(plan, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
          const ended = new Promise<never>((_, reject) => {
            child.once('error', reject)
            child.once('exit', (code, signal) => reject(new Error(`${name} has ended (${signal ?? `exit code ${code}`})`)))
          })
          ended.catch(giveUp)
          const ready = await Promise.race([ended, firstMessage(name, child)])
          return { name, pid: child.pid as number, ready }
        },
        async run({ withinMs, onStart, onErrorOutput, ...plan }) {
          const child = launch(plan, { stdio: ['ignore', 'pipe', onErrorOutput ? 'pipe' : 'inherit', 'ipc'], timeout: withinMs })
          if (child.pid !== undefined) onStart(child.pid)
          const errors = child.stderr && text(child.stderr).then((said) => onErrorOutput?.(said))
          const [output] = await Promise.all([text(child.stdout as Readable), success(plan.name, child), errors])
          return output
        },
      }),
    ])
  } finally {
    over = true
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    for (const child of children.reverse()) await end(child)
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is set for a Quorate in this shell is not meant for the ones that are measured. */
function environment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('QUORATE_'))
  return { ...Object.fromEntries(others), QUORATE_LOG_LEVEL: 'warn' }
}

function firstMessage(name: string, child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s`)), READY_WITHIN_MS)
    child.once('exit', () => clearTimeout(late))
    child.once('message', (message) => {
      clearTimeout(late)
      resolve(message as Ready)
    })
  })
}

function success(name: string, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${name} has failed (${signal ?? `exit code ${code}`})`))
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  await new Promise<void>((resolve) => {
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    child.once('exit', () => {
      clearTimeout(forced)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
