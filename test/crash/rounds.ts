import { setTimeout as delay } from 'node:timers/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import { createAudit } from './audit.ts'
import { createGroup } from './consumer.ts'
import { createLedger } from './ledger.ts'
import { createLifecycles } from './lifecycle.ts'
import { expectPrefix, observe } from './observers.ts'
import { type Random, randomFrom } from './random.ts'
import { type RunningServer, spawnServer, startServer } from './server-process.ts'
import { type Load, WRITERS } from './writers.ts'

export type CrashReport = {
  seed: string
  rounds: number
  /** Kills under load, during start-up, right after it, and during an orderly stop. */
  kills: { load: number; startup: number; started: number; stop: number }
  eventsAcknowledged: number
  eventsInLog: number
  /** Deliveries of events that had been answered before, to the consumer of the group. */
  redelivered: number
  durationMs: number
}

const PREFIX = 'crash-'
const LIFECYCLES = `${PREFIX}lifecycle-`
const CONSUMED = [`${PREFIX}sequential`, `${PREFIX}contended`, `${PREFIX}scattered`]
const SETTLE_WITHIN_MS = 20_000
/** Streams with metadata and deletions that are looked at after every start; all of them at the end. */
const NEWEST_LIFECYCLES = 12
/** After so many rounds everything is read from the beginning, and the consumer catches up. */
const FULL_CHECK_EVERY = 40

/**
 * Kills and restarts one event store over one data folder, round after round, and holds what it has then against what it acknowledged.
 * The seed decides what is written and when the server is killed, though not how far it has come by then.
 * @throws at the first thing that is wrong
 */
export async function runCrashRounds(options: {
  rounds: number
  seed: string
  dataDir: string
  progress?(line: string): void
}): Promise<CrashReport> {
  const { rounds, seed, dataDir, progress = () => {} } = options
  const started = Date.now()
  const random = randomFrom(seed)
  const ledger = createLedger()
  const toDeliver = new Map<string, bigint>()
  const audit = createAudit({
    ledger,
    isWatched: (stream) => stream.startsWith(PREFIX),
    isWhole: (stream) => !stream.startsWith(LIFECYCLES),
    taken({ id, streamId, position }) {
      if (CONSUMED.some((prefix) => streamId.startsWith(prefix))) toDeliver.set(id, position!.commit)
    },
  })
  const lifecycles = createLifecycles(ledger, LIFECYCLES, audit.lastRevision)
  const group = createGroup('crash', CONSUMED, () => toDeliver)
  const kills = { load: 0, startup: 0, started: 0, stop: 0 }
  let startMs = 500

  /** Starts the server, after having killed it a few times on its way there. */
  async function start(choice: Random): Promise<RunningServer> {
    while (choice.chance(0.3)) {
      const early = spawnServer({ dataDir })
      await Promise.race([delay(startMs * (0.4 + choice.below(80) / 100)), early.exit])
      await killed(early)
      kills.startup += 1
    }
    while (choice.chance(0.1)) {
      const early = await startServer({ dataDir })
      await killed(early)
      kills.started += 1
    }
    const from = performance.now()
    const server = await startServer({ dataDir })
    startMs = performance.now() - from
    return server
  }

  /** Everything that holds at rest. `seen` is what a reader was sent before the server went. */
  async function check(client: EventStoreDBClient, seen: readonly string[]): Promise<void> {
    expectPrefix(seen, await audit.takeNew(client))
    await lifecycles.verify(client, NEWEST_LIFECYCLES)
    await group.inspect(client)
  }

  async function checkFully(client: EventStoreDBClient, choice: Random): Promise<void> {
    await audit.rereadAll(client)
    await lifecycles.verify(client)
    await group.drain(client, choice)
  }

  let seen: readonly string[] = []
  for (let round = 1; round <= rounds; round++) {
    const choice = random.branch(round)
    const server = await start(choice)
    const clients = Array.from({ length: 3 }, () => EventStoreDBClient.connectionString(server.url))
    const [reading, first, second] = clients as [EventStoreDBClient, EventStoreDBClient, EventStoreDBClient]
    try {
      await check(reading, seen)
      if (round === 1) await group.create(reading)
      if (round % FULL_CHECK_EVERY === 0) {
        await checkFully(reading, choice)
        await audit.takeNew(reading)
      }
      seen = observe(reading, audit.position()).seen
      const consumer = group.consume(reading, choice.branch('consumer'))
      const load = underLoad(choice, [first, second])
      await crash(server, choice, load)
      await load.stop()
      consumer.close()
    } finally {
      server.kill()
      await server.exit
      // Of a connection that is gone this need not ever resolve.
      for (const client of clients) void client.dispose()
    }
    progress(
      `round ${round}: ${audit.events} events in the log, ${ledger.acknowledgedEvents} of the writers' acknowledged, start ${Math.round(startMs)} ms`,
    )
  }

  const server = await startServer({ dataDir })
  const client = EventStoreDBClient.connectionString(server.url)
  try {
    await check(client, seen)
    await checkFully(client, random.branch('end'))
    await group.replayParked(client)
  } finally {
    await server.stop()
    void client.dispose()
  }
  return {
    seed,
    rounds,
    kills,
    eventsAcknowledged: ledger.acknowledgedEvents,
    eventsInLog: audit.events,
    redelivered: group.redelivered,
    durationMs: Date.now() - started,
  }

  /**
   * Starts the writers: all of them or, because a busy client hears of an acknowledgement long after it was given, only the first. `afterAcknowledged`
   * calls back at the very moment of the n-th acknowledgement from then on.
   */
  function underLoad(choice: Random, [one, other]: [EventStoreDBClient, EventStoreDBClient]) {
    let stopped = false
    let left = Number.POSITIVE_INFINITY
    let reached = () => {}
    const acknowledged = () => {
      left -= 1
      if (left === 0) reached()
    }
    const loadOf = (name: string, client: EventStoreDBClient): Load => ({
      client,
      ledger,
      random: choice.branch(name),
      lastRevision: audit.lastRevision,
      acknowledged,
      stopped: () => stopped,
    })
    const all = [
      ...Object.entries(WRITERS).map(([name, write], index) => ({ load: loadOf(name, index % 2 ? one : other), write })),
      { load: loadOf('lifecycle', one), write: lifecycles.run },
    ]
    const writers = choice.chance(0.3) ? all.slice(0, 1) : all
    const done = Promise.allSettled(writers.map(({ write, load }) => write(load, PREFIX)))
    return {
      done,
      afterAcknowledged(n: number, callback: () => void) {
        left = n
        reached = callback
      },
      async stop() {
        stopped = true
        const late = delay(SETTLE_WITHIN_MS, 'late' as const, { ref: false })
        const outcomes = await Promise.race([done, late])
        if (outcomes === 'late') throw new Error(`appends are still without an answer ${SETTLE_WITHIN_MS} ms after the server went`)
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      },
    }
  }

  /** Lets the load go on for a while, and ends the server. */
  async function crash(server: RunningServer, choice: Random, load: ReturnType<typeof underLoad>): Promise<void> {
    const enough = delay(10 + choice.below(500))
    if (choice.chance(0.1)) {
      await enough
      const stopping = server.stop()
      await delay(choice.below(60))
      server.kill()
      await stopping
      kills.stop += 1
      return
    }
    if (choice.chance(0.6)) load.afterAcknowledged(1 + choice.below(200), server.kill)
    else void enough.then(server.kill)
    void load.done.then(server.kill)
    await expectKilled(server)
    kills.load += 1
  }
}

async function killed(server: Pick<RunningServer, 'kill' | 'exit' | 'log'>): Promise<void> {
  server.kill()
  await expectKilled(server)
}

/** @throws when the server ends by anything but SIGKILL */
async function expectKilled({ exit, log }: Pick<RunningServer, 'exit' | 'log'>): Promise<void> {
  const { signal, code } = await exit
  if (signal !== 'SIGKILL') throw new Error(`the server ended by itself, with ${code ?? signal}: ${log.join('\n')}`)
}
