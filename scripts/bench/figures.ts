/** Milliseconds, from a sample of them. */
export type Latency = { samples: number; p50: number; p95: number; p99: number; max: number }

/** Percentiles by the nearest-rank method. */
export function latencyOf(milliseconds: readonly number[]): Latency {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const rank = (percent: number) => rounded(sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN)
  return { samples: sorted.length, p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
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
  return rounded((count * 1000) / (performance.now() - began))
}

const rounded = (value: number) => Math.round(value * 100) / 100
