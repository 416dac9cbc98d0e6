import { latencyOf, type Promised, perSecond } from '../figures.ts'
import type { StoreClient } from './client.ts'

/** A server that is measured. */
export type Target = {
  name: string
  /** Undefined when it is somebody else's server. */
  storage: 'disk' | 'memory' | undefined
  pid: number | undefined
  client: StoreClient
  /** A stream of so many events to read. */
  stream: string
  events: number
}

/** Rate per second in the row's unit; latencies are of one call each. */
export type Run = { rate: number; p50ms?: number; p99ms?: number; rssMiB?: number | undefined }

/** One line of the benchmark. `run` goes on for about so many milliseconds, or until its fixed amount of work is done. */
export type Row = {
  name: string
  unit: 'appends/s' | 'reads/s' | 'events/s'
  promise?: Promised
  run(target: Target, milliseconds: number): Promise<Run>
}

/** Calls again and again for so long, with so many calls in flight; a call stands for `weight` of what is counted. */
export async function repeatedly(
  { lanes = 1, weight = 1, milliseconds }: { lanes?: number; weight?: number; milliseconds: number },
  call: () => Promise<unknown>,
): Promise<Run> {
  const times: number[] = []
  const began = performance.now()
  const lane = async () => {
    do {
      const before = performance.now()
      await call()
      times.push(performance.now() - before)
    } while (performance.now() - began < milliseconds)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const { p50, p99 } = latencyOf(times)
  return { rate: perSecond(times.length * weight, performance.now() - began), p50ms: p50, p99ms: p99 }
}

/** Does it once; it resolves to how many events there were. */
export async function once(work: () => Promise<number>): Promise<Run> {
  const began = performance.now()
  const events = await work()
  return { rate: perSecond(events, performance.now() - began) }
}
