/** Quorate against servers of its own that can go away and come back, with nobody who starts anything again by himself. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '../../adapters/process/settings.ts'
import { type DevelopmentClient, writeDevelopmentClient } from '../../scripts/supervisor/development-client.ts'
import { enrolOnce } from '../../scripts/supervisor/enrolment.ts'
import { portToKeep } from '../port-to-keep.ts'

const DIST = join(import.meta.dirname, '../..')
const PARTIES = 2

export const DEPENDENCIES = ['eventstore', 'mongodb', 'nats'] as const
export type Dependency = (typeof DEPENDENCIES)[number]

export type OutageSystem = {
  dev: DevelopmentClient
  eventStoreUrl: string
  /** SIGKILL, with no chance to say goodbye. */
  kill(dependency: Dependency): Promise<void>
  /** Starts it again where it was; the event store with the data it had, MongoDB empty. */
  startAgain(dependency: Dependency): Promise<void>
  /** It neither answers nor goes away. */
  freeze(dependency: Dependency): void
  thaw(dependency: Dependency): void
  /** Processes of Quorate that have ended, and lines of their logs that tell of what nobody has handled. */
  failures(): string[]
  stop(): Promise<void>
}

export async function startOutageSystem(): Promise<OutageSystem> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-outage-'))
  const servers = new Map<Dependency, ChildProcess>()
  const ports = new Map<Dependency, number>()
  const urls = new Map<Dependency, string>()
  const processes: ChildProcess[] = []
  const failures: string[] = []
  let stopping = false

  async function startServer(dependency: Dependency): Promise<void> {
    const port = ports.get(dependency) ?? (await portToKeep())
    ports.set(dependency, port)
    const data = dependency === 'eventstore' ? ['--data', join(dataDir, 'eventstore')] : []
    const child = spawn(process.execPath, [join(DIST, 'scripts/embedded.js'), dependency, '--port', String(port), ...data], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    servers.set(dependency, child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    urls.set(dependency, line.toString().trim())
  }

  async function startProcess(name: string, entry: string, env: { [name: string]: string }): Promise<{ [detail: string]: unknown }> {
    const child = fork(join(DIST, entry), [], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    processes.push(child)
    child.stderr?.on('data', (bytes: Buffer) => {
      for (const line of bytes.toString().split('\n')) if (UNHANDLED.test(line)) failures.push(`${name}: ${line}`)
    })
    child.once('exit', (code, signal) => {
      if (!stopping) failures.push(`${name} ended (${signal ?? code})`)
    })
    const [ready] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended before it was ready`))),
    ])
    return ready
  }

  async function stop(): Promise<void> {
    stopping = true
    for (const child of [...processes, ...servers.values()]) child.kill('SIGKILL')
    await Promise.all([...processes, ...servers.values()].map(ended))
    await rm(dataDir, { recursive: true, force: true })
  }

  try {
    await Promise.all(DEPENDENCIES.map(startServer))
    const env = {
      QUORATE_EVENTSTORE_URL: urls.get('eventstore')!,
      QUORATE_MONGODB_URL: urls.get('mongodb')!,
      QUORATE_NATS_URL: urls.get('nats')!,
      QUORATE_DATA_DIR: dataDir,
      QUORATE_PARTIES: String(PARTIES),
      QUORATE_PORT: '0',
      QUORATE_LOG_LEVEL: 'warn',
    }
    await enrolOnce(readSettings(env))
    const parties = Array.from({ length: PARTIES }, (_, index) => `party-${index + 1}`)
    const [api] = await Promise.all([
      startProcess('api', 'http/main.js', env),
      startProcess('projections', 'projections/main.js', env),
      startProcess('processes', 'commands/processes/main.js', env),
      ...parties.map((id) => startProcess(id, 'parties/main.js', { ...env, QUORATE_PARTY_ID: id })),
    ])
    const dev = await writeDevelopmentClient(dataDir, String(api.url))
    return {
      dev,
      eventStoreUrl: env.QUORATE_EVENTSTORE_URL,
      async kill(dependency) {
        const child = servers.get(dependency)!
        child.kill('SIGKILL')
        await ended(child)
      },
      startAgain: startServer,
      freeze: (dependency) => servers.get(dependency)!.kill('SIGSTOP'),
      thaw: (dependency) => servers.get(dependency)!.kill('SIGCONT'),
      failures: () => failures,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What Node says of rejections and exceptions that nobody has handled, and what no error of a dependency should ever become. */
const UNHANDLED = /unhandled|uncaught|ERR_UNHANDLED|internal_error|TypeError|ReferenceError/i

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
