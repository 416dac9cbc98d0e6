import { join, resolve } from 'node:path'
import { type Figure, median, type Promised } from '../figures.ts'
import type { Workplace } from '../processes.ts'

export type ReplayOptions = {
  readonly env: { readonly [name: string]: string }
  /** The log's public key, or its file. */
  readonly key: string
  readonly walletId: string
  readonly asOf: string
}

const BUILD = resolve(import.meta.dirname, '../../..')
const SOURCES = ['archive', 'both'] as const
const RUNS = 3
const WITHIN_MS = 10 * 60_000
const PROMISE: Promised = { below: 300 }
/** What the command says of itself. */
const TOOK = /opened in (\d+) ms, replayed in (\d+) ms/

/**
 * `npm run replay` of one wallet as of a date: from its process's start to its end and, as it says itself, from when its modules are loaded until the wallet is
 * there. From the archive alone, and from both: the seam and what the log has after it.
 */
export async function measureReplay(workplace: Workplace, options: ReplayOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const source of SOURCES) {
    const [whole, inside]: [number[], number[]] = [[], []]
    for (let run = 0; run < RUNS; run++) {
      const took = await replayOnce(workplace, source, options)
      whole.push(took.whole)
      inside.push(took.inside)
    }
    const name = `replay of a wallet, from ${source === 'both' ? 'archive and log' : source}`
    figures.push({ name, of: 'process', ...milliseconds(whole), promise: PROMISE })
    figures.push({ name, of: 'without its start', ...milliseconds(inside), promise: PROMISE })
  }
  return figures
}

const milliseconds = (runs: readonly number[]) => ({ value: median(runs) ?? Number.NaN, unit: 'ms', runs })

async function replayOnce({ run }: Workplace, source: string, { env, key, walletId, asOf }: ReplayOptions) {
  let said = ''
  const began = performance.now()
  await run({
    ...{ name: 'replay', entry: join(BUILD, 'scripts/replay.js'), withinMs: WITHIN_MS },
    args: ['--source', source, '--key', key, '--wallet', walletId, '--as-of', asOf],
    env: { ...env },
    onStart() {},
    onErrorOutput(text) {
      said = text
    },
  })
  const whole = Math.round(performance.now() - began)
  const [, opening, replaying] = TOOK.exec(said) ?? []
  return { whole, inside: Number(opening) + Number(replaying) }
}
