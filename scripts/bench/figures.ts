/** Milliseconds, from a sample of them. */
export type Latency = { samples: number; p50: number; p95: number; p99: number; max: number }

/** One thing that was measured. */
export type Figure = {
  name: string
  /** Which server, process or reader it is a figure of. */
  of: string
  value: number
  /** Such as `appends/s`, `events/s`, `ms`, `s` or `MiB`. */
  unit: string
  /** What `value` is the median of, in the order of the repetitions. */
  runs?: readonly number[]
  /** Of a single call. */
  p50ms?: number
  p99ms?: number
  /** Resident memory of the measured process when it was done. */
  rssMiB?: number
  /** The same of the real server. */
  real?: number
  /** The same of the build that it is measured against. */
  other?: number
  promise?: Promised
  /** Why there is no figure; `value` is NaN then. */
  failure?: string
}

/** A bound on a figure, in its unit. */
export type Promised = { atLeast: number } | { below: number }

/** Percentiles by the nearest-rank method. */
export function latencyOf(milliseconds: readonly number[]): Latency {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const rank = (percent: number) => rounded(sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN)
  return { samples: sorted.length, p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
}

/** The lower one of the two in the middle; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]
}

/** How often per second something happened that took so long, in milliseconds. */
export function perSecond(count: number, milliseconds: number): number {
  return rounded((count * 1000) / milliseconds)
}

export function isKept(promise: Promised, value: number): boolean {
  return 'atLeast' in promise ? value >= promise.atLeast : value < promise.below
}

/** Times each call, one after the other, after some that do not count. */
export async function timeEach(count: number, warmup: number, call: (index: number) => Promise<unknown>): Promise<Latency> {
  const samples: number[] = []
  for (let index = 0; index < warmup + count; index++) {
    const began = performance.now()
    await call(index)
    if (index >= warmup) samples.push(performance.now() - began)
  }
  return latencyOf(samples)
}

/** Calls per second with this many at a time. */
export async function ratePerSecond(count: number, concurrency: number, call: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const worker = async () => {
    while (next < count) await call(next++)
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: concurrency }, worker))
  return perSecond(count, performance.now() - began)
}

const rounded = (value: number) => Math.round(value * 100) / 100
