import { PARTITIONS } from '../domain/ports/projections.ts'
import { leastOf } from './least.ts'

/** How far the documents of one build have come, as far as this process has heard. What was true of a partition once stays true. */
export type BuildProgress = {
  /** Every partition holds everything up to here; undefined while one of them has not been heard of. */
  position(): bigint | undefined
  /** Every partition held everything in the log at this time (ms since the epoch). */
  currentAt(): number
  /** These partitions hold everything up to the position. Returns whether that is more than was known. */
  reached(partitions: Iterable<number>, position: bigint): boolean
  /** These partitions held everything in the log at that time. */
  wereCurrent(partitions: Iterable<number>, at: number): void
}

/** `currentAt` counts from `since` until something better is known. */
export function buildProgress(since: number): BuildProgress {
  const positions = new Array<bigint | undefined>(PARTITIONS).fill(undefined)
  const times = new Array<number>(PARTITIONS).fill(since)
  let least: bigint | undefined
  return {
    position: () => least,
    currentAt: () => Math.min(...times),
    reached(partitions, position) {
      let isNews = false
      for (const partition of partitions) {
        const known = positions[partition]
        if (known !== undefined && known >= position) continue
        positions[partition] = position
        isNews = true
      }
      if (isNews) least = leastOf(positions)
      return isNews
    },
    wereCurrent(partitions, at) {
      for (const partition of partitions) times[partition] = Math.max(times[partition] ?? 0, at)
    },
  }
}
