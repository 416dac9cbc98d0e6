import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Figure, type Promised, perSecond } from '../figures.ts'
import { wholeNumber } from '../options.ts'
import { besideProcesses, type Running, type Workplace } from '../processes.ts'
import { describeMachine, type Findings, printFindings, sayShort, writeResults } from '../report.ts'
import { type Usage, watchProcesses } from '../resources.ts'
import { measureReplay } from './replayed-wallet.ts'

const BUILD = resolve(import.meta.dirname, '../../..')
const STORE = 'event store'
const WITHIN_MS = 120 * 60_000
const MEMORY: Promised = { below: 512 }
/** Where in the made-up history, which begins on 1 January 2026, the wallet is looked at. */
const AS_OF = '2026-02-01T00:00:00Z'

/**
 * `[--events N] [--seed S] [--compare FILE] [--out FILE]`: a history is made up in an event store on disk, archived, verified and restored into an empty
 * store, and one wallet is replayed from the archive alone: each by its command, in a process of its own.
 */
export async function benchArchive(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ events: { ...text, default: '200000' }, seed: { ...text, default: '7' } },
      ...{ compare: text, out: { ...text, default: 'bench-results/archive.json' } },
    },
  })
  const events = wholeNumber('events', values.events)
  console.log(describeMachine())
  const findings = await besideProcesses((workplace) => measure(workplace, events, values.seed))
  await printFindings(findings, values.compare)
  await writeResults(values.out, { options: { events, seed: values.seed }, ...findings })
}

type Measured = { readonly figures: readonly Figure[]; readonly usage: readonly Usage[]; readonly output: string }

async function measure(workplace: Workplace, events: number, seed: string): Promise<Findings> {
  const { folder } = workplace
  const archive = join(folder, 'archive')
  const key = join(folder, 'audit', 'vkey')
  const environmentOf = ({ ready }: Running) => ({
    QUORATE_DATA_DIR: folder,
    QUORATE_EVENTSTORE_URL: String(ready.url),
    QUORATE_ARCHIVE_URL: archive,
  })
  const store = await startStore(workplace, 'log')
  const env = environmentOf(store)

  const generated = await measureCommand(workplace, {
    name: 'generate',
    args: ['--events', `${events}`, '--seed', seed],
    env,
    events,
    store,
  })
  const archived = await measureCommand(workplace, { name: 'archive', args: [], env, events, store, promise: { atLeast: 20_000 } })
  const verified = await measureCommand(workplace, {
    ...{ name: 'verify', args: ['--archive', archive, '--key', key], env, events },
    promise: { atLeast: 50_000 },
  })
  const walletId = await anyWallet(workplace, env, archive, key)
  const replayed = await measureReplay(workplace, { env, key, walletId, asOf: AS_OF })
  const other = await startStore(workplace, 'restored')
  const restored = await measureCommand(workplace, {
    ...{ name: 'restore', args: ['--archive', archive, '--key', key], env: environmentOf(other), events, store: other },
  })
  const all = [generated, archived, verified, restored]
  return {
    figures: [...all.flatMap(({ figures }) => figures), ...replayed, ...(await sizes(folder, events))],
    usage: all.flatMap(({ usage }) => usage),
  }
}

const startStore = ({ folder, start }: Workplace, name: string) =>
  start({ name: STORE, entry: join(BUILD, 'scripts/embedded.js'), args: ['eventstore', '--data', join(folder, name)] })

type Command = {
  readonly name: string
  readonly args: readonly string[]
  readonly env: { readonly [name: string]: string }
  readonly events: number
  /** The event store that it reads from, or writes to. */
  readonly store?: Running
  readonly promise?: Promised
}

/** From the process's start to its end. */
async function measureCommand(workplace: Workplace, { name, args, env, events, store, promise }: Command): Promise<Measured> {
  let watch: ReturnType<typeof watchProcesses> | undefined
  const began = performance.now()
  const output = await workplace.run({
    ...{ name, entry: join(BUILD, `scripts/${name}.js`), args, env: { ...env }, withinMs: WITHIN_MS },
    // Those that package.json starts the command with.
    execArgv: ['--max-semi-space-size=16'],
    onStart(pid) {
      watch = watchProcesses([{ name, pid }, ...(store ? [{ name: `${STORE} during ${name}`, pid: store.pid }] : [])])
    },
  })
  const milliseconds = performance.now() - began
  const usage = watch?.stop() ?? []
  const of = 'command'
  const figures: Figure[] = [
    { name, of, value: milliseconds / 1_000, unit: 's' },
    { name, of, value: perSecond(events, milliseconds), unit: 'events/s', ...(promise && { promise }) },
    ...usage.map(({ of: process, cpuSeconds }): Figure => {
      return { name: 'processor time', of: process, value: (cpuSeconds * 1e6) / events, unit: 'µs/event' }
    }),
    ...usage
      .filter(({ of: process }) => process === name)
      .map(({ residentMiB: { peak } }): Figure => ({ name: 'peak memory', of: name, value: peak, unit: 'MiB', promise: MEMORY })),
  ]
  for (const figure of figures.slice(0, 2)) console.log(sayShort({ ...figure, of: name }))
  return { figures, usage, output }
}

/** Of the first wallet that is in the archive. */
async function anyWallet({ run }: Workplace, env: { [name: string]: string }, archive: string, key: string): Promise<string> {
  const args = ['--source', 'archive', '--archive', archive, '--key', key, '--type', 'WalletCreated', '--to', AS_OF, '--format', 'ndjson']
  const listed = await run({ name: 'audit', entry: join(BUILD, 'scripts/audit.js'), args, env, withinMs: WITHIN_MS, onStart() {} })
  const first = JSON.parse(listed.slice(0, listed.indexOf('\n'))) as { data: { walletId: string } }
  return first.data.walletId
}

async function sizes(folder: string, events: number): Promise<Figure[]> {
  const perEvent = async (name: string, place: string): Promise<Figure> => {
    return { name: 'size', of: name, value: (await bytesIn(join(folder, place))) / events, unit: 'bytes/event' }
  }
  return [
    await perEvent(STORE, 'log'),
    await perEvent('archive, Parquet', 'archive/segments'),
    await perEvent('archive, hashes', 'archive/leaves'),
    await perEvent('archive, index', 'archive/indexes'),
    await perEvent('archive, manifests', 'archive/manifests'),
  ]
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder)
  const files = await Promise.all(names.map((name) => stat(join(folder, name))))
  // What is set aside for what comes is not of the events that are there.
  return files.reduce((sum, { size, blocks }) => sum + Math.min(size, blocks * 512), 0)
}
