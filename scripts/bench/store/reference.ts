import { readFileSync } from 'node:fs'

type Measured = { perSecond?: number; eventsPerSecond?: number }
type Reference = { label: string } & { [row: string]: Measured | string | number }

const FILE = new URL('../../../../test/conformance/eventstore/bench-reference.json', import.meta.url)

/** Rows of the real server's figures. */
export function measuredOfTheRealServer(): string[] {
  return [...new Set(read().flatMap((run) => Object.keys(run).filter((row) => rateOf(run[row]).length > 0)))]
}

/** What the real server reached in a row, by the best of its recorded runs; undefined where it was not measured. */
export function realServer(storage: 'disk' | 'memory'): (row: string) => number | undefined {
  const runs = read().filter(({ label }) => label.includes(storage === 'disk' ? 'on disk' : 'in memory'))
  return (row) => {
    const rates = runs.flatMap((run) => rateOf(run[row]))
    return rates.length > 0 ? Math.max(...rates) : undefined
  }
}

const read = () => JSON.parse(readFileSync(FILE, 'utf8')) as Reference[]

function rateOf(measured: Reference[string] | undefined): number[] {
  if (typeof measured !== 'object') return []
  const rate = measured.perSecond ?? measured.eventsPerSecond
  return rate === undefined ? [] : [rate]
}
