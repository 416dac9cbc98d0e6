import { type ChildProcess, fork } from 'node:child_process'
import type { Ready } from '../../adapters/process/lifecycle.ts'
import { NODE_FLAGS } from '../../adapters/process/node-flags.ts'

export type Child = {
  name: string
  /** What the child said when it was ready for the first time. */
  ready: Ready
  /** From now on its death is no news, and nothing follows it. */
  expectEnd(): void
  stop(): Promise<void>
}

export type ChildPlan = {
  name: string
  entry: URL
  args?: readonly string[]
  env: { readonly [name: string]: string | undefined }
  /** How long it stays down when it dies for the first time; doubled each time that it dies again soon. */
  restartAfterMs: number
  /** What is added to the environment once the child has said where it is, so that the next one takes its place. */
  pin?(ready: Ready): { readonly [name: string]: string }
}

export type ChildEvents = { died(name: string, how: string): void; returned(name: string): void }

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 10_000
const RESTART_AT_MOST_AFTER_MS = 10_000
const STABLE_AFTER_MS = 10_000

/**
 * Starts a child process, waits until it says that it is ready, and starts it again, later and later, whenever it dies.
 * @throws when the first one does not become ready
 */
export async function startChild(plan: ChildPlan, events: ChildEvents): Promise<Child> {
  let stopping = false
  let restart: NodeJS.Timeout | undefined
  let failures = 0
  const { process: child, ready } = launch(plan, {})
  let current = child
  const first = await ready
  const pinned = plan.pin?.(first) ?? {}
  let since = Date.now()
  watch(current)

  function watch(child: ChildProcess): void {
    child.once('exit', (code, signal) => {
      if (stopping) return
      failures = Date.now() - since > STABLE_AFTER_MS ? 0 : failures
      const wait = Math.min(plan.restartAfterMs * 2 ** failures, RESTART_AT_MOST_AFTER_MS)
      failures++
      events.died(plan.name, signal ?? `exit code ${code}`)
      restart = setTimeout(relaunch, wait)
    })
  }

  function expectEnd(): void {
    stopping = true
    clearTimeout(restart)
  }

  function relaunch(): void {
    since = Date.now()
    const next = launch(plan, pinned)
    current = next.process
    watch(current)
    next.ready.then(
      () => events.returned(plan.name),
      () => current.kill('SIGKILL'),
    )
  }

  return {
    name: plan.name,
    ready: first,
    expectEnd,
    async stop() {
      expectEnd()
      await end(current)
    },
  }
}

function launch(
  { name, entry, args = [], env }: ChildPlan,
  pinned: { readonly [name: string]: string },
): { process: ChildProcess; ready: Promise<Ready> } {
  const child = fork(entry, args, {
    execArgv: [...process.execArgv, ...NODE_FLAGS],
    env: { ...process.env, ...env, ...pinned },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ready = new Promise<Ready>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s`))
    }, READY_WITHIN_MS)
    child.once('message', (message) => {
      clearTimeout(late)
      resolve(message as Ready)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(late)
      reject(new Error(`${name} ended before it was ready (${signal ?? `exit code ${code}`})`))
    })
  })
  return { process: child, ready }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    child.once('exit', () => {
      clearTimeout(forced)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
