import type { CommitQueue } from '../log/commit-queue.ts'
import { NO_STREAM } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { compileFilter } from '../streams/filter.ts'
import { remove } from '../streams/write.ts'
import type { GroupStore } from './group-store.ts'
import { type Runner, startRunner } from './runner.ts'
import { ALL, checkpointStreamOf, type GroupConfig, type GroupKey, parkedStreamOf } from './settings.ts'

/** What a request to make or change a group says. */
export type GroupRequest = Pick<GroupConfig, 'settings' | 'startFrom' | 'filter'>

export type PersistentSubscriptions = {
  find(key: GroupKey): Runner | undefined
  list(): Runner[]
  /** False when there is such a group already. @throws SyntaxError when the filter is invalid */
  create(key: GroupKey, request: GroupRequest): Promise<boolean>
  /** False when there is no such group. Its filter stays. */
  update(key: GroupKey, request: Omit<GroupRequest, 'filter'>): Promise<boolean>
  delete(key: GroupKey): Promise<boolean>
  /** Drops all consumers and starts all groups anew from what is stored. */
  restart(): Promise<void>
  close(): Promise<void>
}

const TICK_MS = 50

/** All groups of the server. They are running when this returns. */
export function startPersistentSubscriptions(
  log: Log,
  commits: CommitQueue,
  store: GroupStore,
  report: (line: string) => void,
): PersistentSubscriptions {
  const runners = new Map<string, Runner>()
  const idOf = ({ source, name }: GroupKey) => JSON.stringify([source, name])

  function start(key: GroupKey, config: GroupConfig): void {
    runners.set(idOf(key), startRunner(log, commits, key, config, report))
  }

  async function stopAll(): Promise<void> {
    const stopping = [...runners.values()]
    runners.clear()
    await Promise.all(stopping.map((runner) => runner.stop()))
  }

  function startAll(): void {
    for (const { source, name, config } of store.load()) start({ source, name }, config)
  }

  /** The revision or position before the first event to deliver, as of now. */
  function beginning(source: string, startFrom: GroupConfig['startFrom']): number {
    if (startFrom === 'start') return source === ALL ? 0 : NO_STREAM
    if (startFrom === 'end') return source === ALL ? log.head() : log.lastRevision(source)
    return startFrom - 1
  }

  function save(key: GroupKey, config: GroupConfig): Promise<void> {
    return commits.submit(() => store.save(key, config))
  }

  async function withStopped(key: GroupKey, work: (runner: Runner) => Promise<void>): Promise<boolean> {
    const runner = runners.get(idOf(key))
    if (!runner) return false
    runners.delete(idOf(key))
    await runner.stop()
    try {
      await work(runner)
    } catch (error) {
      start(key, runner.config)
      throw error
    }
    return true
  }

  /** Changes of groups follow one another, so that none finds another half done. */
  let changes: Promise<unknown> = Promise.resolve()
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = changes.then(change)
    changes = changed.catch(() => {})
    return changed
  }

  const stopListening = commits.onCommit((commit) => {
    for (const runner of runners.values()) runner.onCommit(commit)
  })
  const timer = setInterval(() => {
    const now = Date.now()
    for (const runner of runners.values()) runner.tick(now)
  }, TICK_MS)
  startAll()

  return {
    find: (key) => runners.get(idOf(key)),
    list: () => [...runners.values()],
    create: (key, request) =>
      inTurn(async () => {
        if (runners.has(idOf(key))) return false
        if (request.filter) compileFilter(request.filter)
        const config = { ...request, after: beginning(key.source, request.startFrom) }
        await save(key, config)
        start(key, config)
        return true
      }),
    update: (key, request) =>
      inTurn(() =>
        withStopped(key, async ({ config }) => {
          const moved = request.startFrom !== config.startFrom
          const changed = { ...config, ...request, after: moved ? beginning(key.source, request.startFrom) : config.after }
          await save(key, changed)
          start(key, changed)
        }),
      ),
    delete: (key) =>
      inTurn(() =>
        withStopped(key, () =>
          commits.submit(() => {
            store.remove(key)
            for (const stream of [checkpointStreamOf(key), parkedStreamOf(key)]) {
              if (log.lastRevision(stream) !== NO_STREAM) remove(log, stream, 'any', false, Date.now())
            }
          }),
        ),
      ),
    restart: () =>
      inTurn(async () => {
        await stopAll()
        startAll()
      }),
    async close() {
      clearInterval(timer)
      stopListening()
      await stopAll()
    },
  }
}
