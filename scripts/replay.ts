import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import { openLog } from './replay/log.ts'
import { parseMoment } from './replay/moment.ts'
import { walletAt } from './replay/wallet-at.ts'

const USAGE = 'usage: npm run replay -- --wallet ID [--as-of TIME|POSITION]'

try {
  await replay()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run replay`: a wallet at a moment, from the log alone, with a digest over the events read that anybody can recompute. */
async function replay(): Promise<void> {
  const { values } = parseArgs({ options: { wallet: { type: 'string' }, 'as-of': { type: 'string' } } })
  if (!values.wallet) throw new Error(USAGE)
  const moment = parseMoment(values['as-of'])
  const { log, source, close } = await openLog(readSettings(process.env))
  try {
    const { events, position, digest, ...state } = await walletAt(log.readAll(), values.wallet, moment)
    console.error(`${events} events read from ${source}`)
    console.log(JSON.stringify({ asOf: values['as-of'] ?? 'now', ...state, events, position, digest }, null, 2))
  } finally {
    await close()
  }
}
