import { coldSegments } from '../../audit/archive/tiers.ts'
import type { HistorySources } from '../../audit/history.ts'
import { NotRetrieved } from '../../domain/ports/archive.ts'

/** Segments that have to be asked for first, with the command. */
export class ColdSegments extends Error {
  override readonly name = 'ColdSegments'
  readonly exitCode = 2
}

/** What the work returns. @throws ColdSegments when it needs segments of the cold tier which the log does not have either */
export async function namingCold<T>({ archive, log }: HistorySources, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotRetrieved && archive)) throw error
    const ranges = rangesOf(await coldSegments(archive.store, archive))
    const commands = ranges.map((range) => `  npm run archive -- --retrieve ${range}`).join('\n')
    const elsewhere = log ? ', and the event store does not have its events' : ''
    const message = `${error.object} is in the cold tier${elsewhere}. Ask for it, and wait until \`npm run archive -- --status\` says that it is readable:\n${commands}`
    throw new ColdSegments(message, { cause: error })
  }
}

/** Numbers in rising order as `3` or `5..9`. */
export function rangesOf(numbers: readonly number[]): readonly string[] {
  const ranges: { from: number; to: number }[] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last && number === last.to + 1) last.to = number
    else ranges.push({ from: number, to: number })
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}..${to}`))
}
