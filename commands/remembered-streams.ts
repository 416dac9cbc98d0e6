import type { EventLog, RecordedEvent } from '../domain/ports/event-log.ts'

const MAX_EVENTS = 20_000

/**
 * The log, but of streams with one of the prefixes that are read whole again and again, like those of a wallet and its keys, only what is new is asked for.
 * It is asked for every time, so that nobody acts on what was true a moment ago. What has not been read for longest is forgotten when more than
 * `maxEvents` are held.
 */
export function rememberStreams(
  log: EventLog,
  { prefixes, maxEvents = MAX_EVENTS }: { prefixes: readonly string[]; maxEvents?: number },
): EventLog {
  const remembered = new Map<string, readonly RecordedEvent[]>()
  let held = 0

  const forget = (stream: string) => {
    held -= remembered.get(stream)?.length ?? 0
    remembered.delete(stream)
  }
  const remember = (stream: string, events: readonly RecordedEvent[]) => {
    forget(stream)
    remembered.set(stream, events)
    held += events.length
    for (const oldest of remembered.keys()) {
      if (held <= maxEvents) return
      forget(oldest)
    }
  }

  /** The last known event is read again: if it is another one, the store has been put back to an earlier state, and nothing known of it holds. */
  async function readWhole(stream: string): Promise<readonly RecordedEvent[]> {
    const known = remembered.get(stream) ?? []
    const last = known.at(-1)
    if (!last) return collect(log.readStream(stream))
    const [same, ...fresh] = await collect(log.readStream(stream, { from: last.revision }))
    return same?.id === last.id ? [...known, ...fresh] : collect(log.readStream(stream))
  }

  return {
    ...log,
    async *readStream(stream, options = {}) {
      const isWhole = options.from === undefined && options.limit === undefined
      if (!isWhole || !prefixes.some((prefix) => stream.startsWith(prefix))) return yield* log.readStream(stream, options)
      const events = await readWhole(stream)
      remember(stream, events)
      yield* events
    },
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}
