/** What a page holds in memory, roughly; a single row of large events may exceed it. */
const PAGE_BYTES = 256 * 1024
const MOST_ROWS = 256

/** Rows to ask for as long as nothing is known about their size. */
export const FIRST_ROWS = 8

/** Rows to ask for next, after a page of `used` rows with `bytes`: as many as fit, without reading many that are not wanted. */
export function nextRows({ used, bytes }: { used: number; bytes: number }): number {
  const fitting = Math.floor((used * PAGE_BYTES) / Math.max(bytes, 1))
  return Math.max(1, Math.min(MOST_ROWS, fitting, 2 * used))
}
