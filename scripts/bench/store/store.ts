import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Figure, median } from '../figures.ts'
import { positive, wholeNumber } from '../options.ts'
import { besideProcesses, type Workplace } from '../processes.ts'
import { describeMachine, type Findings, printFindings, sayShort, writeResults } from '../report.ts'
import { watchProcesses } from '../resources.ts'
import { APPENDS, freshIds, freshStream } from './appends.ts'
import type { StoreClient } from './client.ts'
import { fillStream, READS } from './reads.ts'
import { realServer } from './reference.ts'
import { type Row, type Run, repeatedly, type Target } from './row.ts'
import { SUBSCRIPTIONS } from './subscriptions.ts'

export const ROWS: readonly Row[] = [...APPENDS, ...READS, ...SUBSCRIPTIONS]
/** A server that gets nowhere is given up. */
const ROW_WITHIN_MS = 120_000
const OTHER_BUILD = 'disk, other build'
const BUILD = resolve(import.meta.dirname, '../../..')

type Connect = (url: string) => StoreClient

/**
 * `[--seconds N] [--rounds N] [--events N] [--only REGEX] [--url URL | --against BUILD] [--compare FILE] [--out FILE]`. Each row is measured
 * on every server in turn, `rounds` times over, and its figure is the median, so that whatever else the machine does hits all of them.
 */
export async function measureStore(args: readonly string[], connect: Connect): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      events: { type: 'string', default: '50000' },
      only: { type: 'string', default: '' },
      url: { type: 'string' },
      against: { type: 'string' },
      compare: { type: 'string' },
      out: { type: 'string', default: 'bench-results/store.json' },
    },
  })
  const extent = {
    milliseconds: positive('seconds', values.seconds) * 1000,
    rounds: wholeNumber('rounds', values.rounds),
    events: wholeNumber('events', values.events),
  }
  const rows = ROWS.filter(({ name }) => new RegExp(values.only).test(name))
  if (rows.length === 0) throw new Error(`no row is called ${values.only}; there are ${ROWS.map(({ name }) => name).join(', ')}`)
  if (values.url !== undefined && values.against !== undefined) throw new Error('--url and --against exclude each other')

  console.log(describeMachine())
  const findings = await besideProcesses(async (workplace) => {
    const targets = await openTargets(workplace, connect, values, extent)
    const watch = watchProcesses(targets.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }])))
    try {
      const figures = await measureRows(rows, targets, extent)
      return { figures, usage: watch.stop() }
    } finally {
      for (const { client } of targets) await client.close()
    }
  })
  await printFindings(findings, values.compare)
  sayWhatIsBehind(findings)
  await writeResults(values.out, { options: extent, ...findings })
  if (findings.figures.some(({ failure }) => failure !== undefined)) process.exitCode = 1
}

/** The one at the URL; or else this build on disk, beside this build in memory or the other build on disk. */
async function openTargets(
  workplace: Workplace,
  connect: Connect,
  { url, against }: { url?: string | undefined; against?: string | undefined },
  { events, milliseconds }: { events: number; milliseconds: number },
): Promise<Target[]> {
  const embedded = async (name: string, build: string, storage: 'disk' | 'memory'): Promise<Target> => {
    const data = storage === 'disk' ? ['--data', join(workplace.folder, randomUUID())] : []
    const { pid, ready } = await workplace.start({ name, entry: join(build, 'scripts/embedded.js'), args: ['eventstore', ...data] })
    return { name, storage, pid, client: connect(String(ready.url)), stream: '', events }
  }
  const other = against === undefined ? () => embedded('memory', BUILD, 'memory') : () => embedded(OTHER_BUILD, resolve(against), 'disk')
  const targets: Target[] =
    url === undefined
      ? [await embedded('disk', BUILD, 'disk'), await other()]
      : [{ name: 'given server', storage: undefined, pid: undefined, client: connect(url), stream: '', events }]
  for (const target of targets) await warmUp(target, milliseconds)
  return targets
}

/** What is measured first must not pay for what all of it warms up. */
async function warmUp(target: Target, milliseconds: number): Promise<void> {
  for (const call of ['batch', 'classic'] as const) {
    await repeatedly({ milliseconds }, () => target.client.append(freshStream(), freshIds(1), call))
  }
  await fillStream(target)
}

async function measureRows(
  rows: readonly Row[],
  targets: readonly Target[],
  { milliseconds, rounds }: { milliseconds: number; rounds: number },
): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const row of rows) {
    const runs = new Map<Target, Run[]>(targets.map((target) => [target, []]))
    const failures = new Map<Target, string>()
    for (let round = 0; round < rounds; round++) {
      for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
        if (failures.has(target)) continue
        try {
          runs.get(target)?.push(await inTime(row.run(target, milliseconds)))
        } catch (error) {
          failures.set(target, error instanceof Error ? error.message : String(error))
        }
      }
    }
    const measured = targets.map((target) => figureOf(row, target, runs.get(target) ?? [], failures.get(target)))
    const [mine, other] = measured
    if (mine && other && other.of === OTHER_BUILD) mine.other = other.value
    for (const figure of measured) console.log(sayShort(figure))
    figures.push(...measured)
  }
  return figures
}

async function inTime(run: Promise<Run>): Promise<Run> {
  const clock = new AbortController()
  const late = delay(ROW_WITHIN_MS, undefined, { signal: clock.signal }).then(() => {
    throw new Error(`not done within ${ROW_WITHIN_MS / 1000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([run, late])
  } finally {
    clock.abort()
  }
}

function figureOf({ name, unit, promise }: Row, target: Target, runs: readonly Run[], failure: string | undefined): Figure {
  const middle = (of: (run: Run) => number | undefined) => median(runs.flatMap((run) => of(run) ?? []))
  const real = realServer(target.storage ?? 'disk')(name)
  const [p50ms, p99ms, rssMiB] = [middle((run) => run.p50ms), middle((run) => run.p99ms), middle((run) => run.rssMiB)]
  return {
    name,
    of: target.name,
    value: failure === undefined ? (middle((run) => run.rate) ?? Number.NaN) : Number.NaN,
    unit,
    runs: runs.map(({ rate }) => rate),
    ...(p50ms !== undefined && { p50ms }),
    ...(p99ms !== undefined && { p99ms }),
    ...(rssMiB !== undefined && { rssMiB }),
    ...(real !== undefined && { real }),
    // What is promised is promised of a store that keeps what it has acknowledged.
    ...(promise && target.storage !== 'memory' && { promise }),
    ...(failure !== undefined && { failure }),
  }
}

/** What counts is the store that keeps what it has acknowledged, as it is now. */
function sayWhatIsBehind({ figures }: Findings): void {
  const compared = figures.filter(({ of, real }) => of !== 'memory' && of !== OTHER_BUILD && real !== undefined)
  const behind = compared.filter(({ value, real = 0 }) => !(value >= real))
  if (behind.length > 0) console.log(`Behind the real server: ${behind.map(({ name }) => name).join(', ')}.`)
  else if (compared.length > 0) console.log(`Ahead of the real server in all ${compared.length} figures that it was measured for.`)
}
