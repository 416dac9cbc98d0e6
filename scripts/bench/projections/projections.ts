import { parseArgs } from 'node:util'
import { PROJECTIONS } from '../../../projections/catalogue.ts'
import { signingSessions } from '../../../projections/signing-sessions.ts'
import type { Announcements } from '../announcements.ts'
import { type Figure, type Latency, latencyOf, perSecond } from '../figures.ts'
import { positive, wholeNumber } from '../options.ts'
import { besideProcesses } from '../processes.ts'
import { projectionLag } from '../projection-lag.ts'
import { describeMachine, type Findings, printFindings, writeResults } from '../report.ts'
import { watchProcesses } from '../resources.ts'
import type { Step } from '../workload/wallet-life.ts'
import { createWallets, type Wallets } from '../workload/wallets.ts'
import { documentWrites } from './document-writes.ts'
import { type ReadModels, type Servers, withServers } from './servers.ts'

const NAMES = PROJECTIONS.map(({ name }) => name)
const ALL = 'all read models'
const LIVE_EVENTS_PER_SECOND = 500
/** One document in so many is read as soon as it is announced. */
const READ_ONE_IN = 5
const READ_WITHIN_MS = 30_000
/** A worker slower than this is given up. */
const LEAST_EVENTS_PER_SECOND = 250
const START_WITHIN_MS = 60_000

/**
 * `[--events N] [--seconds N] [--url URL] [--compare FILE] [--out FILE]`: how fast the projection worker builds every read model from a
 * log of so many events, how much memory that takes, and how far behind the read models are for so many seconds of 500 events a second.
 */
export async function benchProjections(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '200000' },
      seconds: { type: 'string', default: '20' },
      url: { type: 'string' },
      compare: { type: 'string' },
      out: { type: 'string', default: 'bench-results/projections.json' },
    },
  })
  const events = wholeNumber('events', values.events)
  const seconds = positive('seconds', values.seconds)
  console.log(describeMachine())
  const findings = await besideProcesses((workplace) =>
    withServers(workplace, { url: values.url, projections: NAMES }, async (servers) => {
      const wallets = createWallets(servers.log)
      const rebuild = await measureRebuild(wallets, servers, events)
      return { ...rebuild, figures: [...rebuild.figures, ...(await measureLag(wallets, servers, seconds))] }
    }),
  )
  await printFindings(findings, values.compare)
  await writeResults(values.out, { options: { events, seconds }, ...findings })
}

/** Appends the events first, so that the worker finds them all when it starts. */
async function measureRebuild(wallets: Wallets, { announcements, startWorker, processes }: Servers, wanted: number): Promise<Findings> {
  let writes = 0
  const filling = performance.now()
  const { events, position } = await wallets.append(wanted, (step, at) => {
    writes += documentWrites(step, at)
  })
  const filled = performance.now() - filling
  console.log(`${events} events are in the log`)

  const began = performance.now()
  const worker = await startWorker()
  const watch = watchProcesses([...processes, worker])
  await announcements.reached(position, { withinMs: START_WITHIN_MS + (events * 1000) / LEAST_EVENTS_PER_SECOND })
  const took = performance.now() - began
  const usage = watch.stop()
  const until = (name: string) => (announcements.of(name).find((announced) => announced.position >= position)?.at ?? Number.NaN) - began
  return {
    figures: [
      { name: 'appended beforehand', of: 'event store', value: perSecond(events, filled), unit: 'events/s' },
      { name: `rebuild of ${events} events`, of: ALL, value: took / 1000, unit: 's' },
      { name: 'projected', of: ALL, value: perSecond(events, took), unit: 'events/s', promise: { atLeast: 10_000 } },
      ...NAMES.map((name): Figure => ({ name: 'projected', of: name, value: perSecond(events, until(name)), unit: 'events/s' })),
      { name: 'documents written', of: ALL, value: perSecond(writes, took), unit: 'writes/s' },
      ...usage
        .filter(({ of }) => of === worker.name)
        .map(
          ({ of, residentMiB: { peak } }): Figure => ({
            name: 'peak memory during the rebuild',
            of,
            value: peak,
            unit: 'MiB',
            promise: { below: 512 },
          }),
        ),
    ],
    usage,
  }
}

async function measureLag(wallets: Wallets, { announcements, readModels }: Servers, seconds: number): Promise<Figure[]> {
  const readable: Promise<number>[] = []
  let sessions = 0
  const appends = wallets.appends(({ events }: Step, position) => {
    const [first] = events
    if (first?.type !== 'SigningRequested' || sessions++ % READ_ONE_IN !== 0) return
    const read = untilReadable(announcements, readModels, (first.data as { sessionId: string }).sessionId, position)
    // Whoever waits for all of them hears of it; until then it is not unhandled.
    read.catch(() => {})
    readable.push(read)
  })
  const events = Math.ceil(seconds * LIVE_EVENTS_PER_SECOND)
  const { each, last } = await projectionLag(announcements, { projections: NAMES, appends, events, rate: LIVE_EVENTS_PER_SECOND })
  const figure = (of: string, { p50, p95, p99 }: Latency): Figure => {
    return { name: `lag p95 at ${LIVE_EVENTS_PER_SECOND} events/s`, of, value: p95, unit: 'ms', p50ms: p50, p99ms: p99 }
  }
  const read = latencyOf(await Promise.all(readable))
  return [
    ...[...each].map(([name, latency]) => figure(name, latency)),
    figure(ALL, last),
    { name: `lag p99 at ${LIVE_EVENTS_PER_SECOND} events/s`, of: ALL, value: last.p99, unit: 'ms', promise: { below: 40 } },
    ...(read.samples > 0 ? [{ ...figure(signingSessions.name, read), name: 'acknowledged until read' }] : []),
  ]
}

/** Milliseconds from now until the session's document has been read, which is possible as soon as it is announced. */
async function untilReadable(announcements: Announcements, readModels: ReadModels, sessionId: string, position: bigint): Promise<number> {
  const acknowledged = performance.now()
  await announcements.reached(position, { withinMs: READ_WITHIN_MS, projections: [signingSessions.name] })
  if (!(await readModels.get(signingSessions.name, sessionId))) throw new Error(`session ${sessionId} was announced, but cannot be read`)
  return performance.now() - acknowledged
}
