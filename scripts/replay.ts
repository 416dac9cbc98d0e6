import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import { readHistory } from '../audit/history.ts'
import type { Moment } from '../domain/history/moment.ts'
import { type WalletAt, walletAt } from '../domain/history/wallet-at.ts'
import { momentIn, sourceIn } from './history/arguments.ts'
import { differencesBetween } from './history/differences.ts'
import { openSources } from './history/sources.ts'

const USAGE = `usage: npm run --silent replay -- --wallet ID [--as-of TIME|POSITION] [--until TIME|POSITION] [--source both|log|archive] [--archive PLACE] [--key VKEY|FILE]

  --as-of   a wallet, its keys, sessions and accounts as they were then; now when left out
  --until   what was different then, compared with --as-of
  --source  where events are read: the archive and what the log has after it (both), or one of them alone`

try {
  await replay()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run replay`: a wallet at a moment, from events alone, with a digest over them that anybody can recompute. */
async function replay(): Promise<void> {
  const text = { type: 'string' } as const
  const options = { wallet: text, 'as-of': text, until: text, source: { ...text, default: 'both' }, archive: text, key: text }
  const { values } = parseArgs({ options })
  const { wallet, 'as-of': asOf, until } = values
  if (wallet === undefined) throw new Error(USAGE)
  const moments = { asOf: momentIn('as-of', asOf), until: momentIn('until', until) }
  const sources = await openSources(
    readSettings({ ...process.env, ...(values.archive === undefined ? {} : { QUORATE_ARCHIVE_URL: values.archive }) }),
    sourceIn(values.source),
    values.key,
  )
  try {
    const at = (moment: Moment): Promise<WalletAt> => walletAt(readHistory(sources), wallet, moment, createHash('sha256'))
    const before = await at(moments.asOf)
    console.error(`${before.events} events read from ${sources.places.join(' and ')}`)
    if (until === undefined) return print({ asOf: asOf ?? 'now', ...before })
    const after = await at(moments.until)
    print({
      from: digestIn(asOf ?? 'now', before),
      to: digestIn(until, after),
      differences: differencesBetween(stateIn(before), stateIn(after)),
    })
  } finally {
    await sources.close()
  }
}

function print(value: object): void {
  console.log(JSON.stringify(value, null, 2))
}

function digestIn(moment: string, { events, position, digest }: WalletAt) {
  return { moment, events, position, digest }
}

function stateIn({ wallet, keys, sessions, accounts }: WalletAt) {
  return { wallet, keys, sessions, accounts }
}
