const MILLISECONDS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** The largest delay that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1

/** Milliseconds in a header `grpc-timeout`; undefined when there is none, or none that can be read. */
export function parseTimeout(header: string | undefined): number | undefined {
  const found = header === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(header)
  return found ? Math.min(LONGEST_MS, Math.ceil(Number(found[1]) * MILLISECONDS[found[2]!]!)) : undefined
}
