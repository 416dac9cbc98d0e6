import { setTimeout as delay } from 'node:timers/promises'
import type { Announcement, Announcements } from './announcements.ts'
import { type Latency, latencyOf } from './figures.ts'

/** Resolves to the position of the last of its events, once they are in the log. */
export type Append = { events: number; append(): Promise<bigint> }

const SETTLE_MS = 30_000

/**
 * From the acknowledgement of an append to the announcement that a read model has it, for each projection and for the last of them, while
 * events arrive at a steady rate (events per second). The clock is this process's on both ends.
 */
export async function projectionLag(
  announcements: Announcements,
  { projections, appends, events, rate }: { projections: readonly string[]; appends: Iterator<Append>; events: number; rate: number },
): Promise<{ each: Map<string, Latency>; last: Latency }> {
  const acknowledged: Announcement[] = []
  const pending: Promise<void>[] = []
  const began = performance.now()
  for (let sent = 0; sent < events; ) {
    const { value, done } = appends.next()
    if (done) break
    pending.push(value.append().then((position) => void acknowledged.push({ position, at: performance.now() })))
    sent += value.events
    const ahead = began + (sent * 1000) / rate - performance.now()
    if (ahead > 1) await delay(ahead)
  }
  await Promise.all(pending)
  acknowledged.sort((a, b) => Number(a.position - b.position))
  await announcements.reached(acknowledged.at(-1)?.position ?? -1n, { withinMs: SETTLE_MS, projections })
  const lags = new Map(projections.map((name) => [name, lagsOf(acknowledged, announcements.of(name))]))
  return {
    each: new Map([...lags].map(([name, milliseconds]) => [name, latencyOf(milliseconds)])),
    last: latencyOf(acknowledged.map((_, index) => Math.max(...[...lags.values()].map((milliseconds) => milliseconds[index] as number)))),
  }
}

/** Both rise by position. What was announced before its acknowledgement arrived here had no lag. */
function lagsOf(acknowledged: readonly Announcement[], announced: readonly Announcement[]): number[] {
  let next = 0
  return acknowledged.map(({ position, at }) => {
    while ((announced[next] as Announcement).position < position) next++
    return Math.max(0, (announced[next] as Announcement).at - at)
  })
}
