import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { connectEventLog } from '../../../adapters/eventstore/event-log.ts'
import { type Figure, median, perSecond } from '../figures.ts'
import { wholeNumber } from '../options.ts'
import { besideProcesses, type Running, type Workplace } from '../processes.ts'
import { describeMachine, type Findings, printFindings, writeResults } from '../report.ts'
import { type Usage, watchProcesses } from '../resources.ts'
import { createWallets } from '../workload/wallets.ts'
import type { DigestOfLog } from './digest-log.ts'

const READ_WITHIN_MS = 30 * 60_000
const BUILD = resolve(import.meta.dirname, '../../..')
const DIGEST = 'whole log, each event digested'
const WALLET = 'npm run replay: a wallet from the whole log'

/**
 * `[--events N] [--rounds N] [--url URL] [--compare FILE] [--out FILE]`: how fast the whole log is read and digested, and how much memory the reader
 * takes. At a URL it reads what is there, and appends nothing.
 */
export async function benchReplay(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '200000' },
      rounds: { type: 'string', default: '3' },
      url: { type: 'string' },
      compare: { type: 'string' },
      out: { type: 'string', default: 'bench-results/replay.json' },
    },
  })
  const events = wholeNumber('events', values.events)
  const rounds = wholeNumber('rounds', values.rounds)
  console.log(describeMachine())
  const findings = await besideProcesses(async (workplace) => {
    const store = values.url === undefined ? await fillStore(workplace, events) : undefined
    return measureReplay(workplace, values.url ?? String(store?.ready.url), store, rounds)
  })
  await printFindings(findings, values.compare)
  await writeResults(values.out, { options: { events, rounds }, ...findings })
}

async function fillStore({ folder, start }: Workplace, events: number): Promise<Running> {
  const args = ['eventstore', '--data', join(folder, 'eventstore')]
  const store = await start({ name: 'event store', entry: join(BUILD, 'scripts/embedded.js'), args })
  const log = connectEventLog({ url: String(store.ready.url) })
  try {
    const appended = await createWallets(log).append(events, () => {})
    console.log(`${appended.events} events are in the log`)
  } finally {
    await log.close()
  }
  return store
}

async function measureReplay(workplace: Workplace, url: string, store: Running | undefined, rounds: number): Promise<Findings> {
  const env = { QUORATE_EVENTSTORE_URL: url }
  const read = async (name: string, script: string, ...args: string[]) => {
    let watch: ReturnType<typeof watchProcesses> | undefined
    const began = performance.now()
    const output = await workplace.run({
      name,
      entry: join(BUILD, script),
      args,
      env,
      withinMs: READ_WITHIN_MS,
      onStart(pid) {
        watch = watchProcesses([...(store ? [store] : []), { name, pid }])
      },
    })
    return { output, milliseconds: performance.now() - began, usage: watch?.stop() ?? [] }
  }

  const digests: DigestOfLog[] = []
  const walletRates: number[] = []
  const usage = new Map<string, Usage>()
  for (let round = 0; round < rounds; round++) {
    const log = await read(DIGEST, 'scripts/bench/replay/digest-log.js')
    const digest: DigestOfLog = JSON.parse(log.output)
    digests.push(digest)
    if (digest.digest !== digests[0]?.digest) throw new Error('the same log has two digests')
    if (digest.walletId === undefined) throw new Error('there is no wallet in the log')
    const wallet = await read(WALLET, 'scripts/replay.js', '--wallet', digest.walletId)
    walletRates.push(perSecond(digest.events, wallet.milliseconds))
    for (const each of [...log.usage, ...wallet.usage]) usage.set(each.of, each)
  }
  const rates = digests.map(({ events, milliseconds }) => perSecond(events, milliseconds))
  return { figures: [...figuresOf(DIGEST, rates), ...figuresOf(WALLET, walletRates)], usage: [...usage.values()] }
}

const figuresOf = (name: string, runs: readonly number[]): Figure[] => [
  { name, of: 'reader', value: median(runs) ?? Number.NaN, unit: 'events/s', runs },
]
