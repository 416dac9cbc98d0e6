import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import { generateHistory } from './generate/history.ts'
import { openLog } from './history/log.ts'

const USAGE = 'usage: npm run generate -- --events N [--seed S]'

try {
  await generate()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run generate`: a made-up history of wallets in an empty event store, the same for the same seed. */
async function generate(): Promise<void> {
  const { values } = parseArgs({ options: { events: { type: 'string' }, seed: { type: 'string', default: '1' } } })
  const events = Number(values.events)
  if (!Number.isSafeInteger(events) || events < 1) throw new Error(USAGE)
  const { log, source, close } = await openLog(readSettings(process.env), { mayBeNew: true })
  try {
    const begun = performance.now()
    const { wallets } = await generateHistory(log, { events, seed: values.seed, onProgress: (count) => progress(count, events) })
    const seconds = (performance.now() - begun) / 1_000
    console.error()
    console.log(JSON.stringify({ events, wallets, seed: values.seed, store: source, seconds: Number(seconds.toFixed(1)) }))
  } finally {
    await close()
  }
}

function progress(count: number, events: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${count} of ${events} events`)
}
