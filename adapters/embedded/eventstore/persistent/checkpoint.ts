import type { Log } from '../log/log.ts'
import { lastEvent, metadataOf, readability } from '../streams/stream-state.ts'
import { keepLast } from '../streams/write.ts'
import { ALL, checkpointStreamOf, type GroupKey, parkedStreamOf } from './settings.ts'

/** How a revision or position is written down: `"4"` in a group on one stream, `"C:4/P:4"` in one on all streams. */
export const keyText = (source: string, key: number): string => (source === ALL ? `C:${key}/P:${key}` : String(key))

export const checkpointData = (source: string, key: number): Buffer => Buffer.from(JSON.stringify(keyText(source, key)))

/** Up to where a group had come, if it ever wrote that down. */
export function loadCheckpoint(log: Log, group: GroupKey): number | undefined {
  const stream = checkpointStreamOf(group)
  const event = readability(log, stream) === 'found' ? lastEvent(log, stream) : undefined
  const digits = event && /\d+/.exec(Buffer.from(event.data).toString())
  return digits ? Number(digits[0]) : undefined
}

/** As EventStoreDB has it, which says so when it has started anew. */
const KEPT_CHECKPOINTS = 2

/**
 * Has the groups' checkpoints but the newest hidden, so that a scavenge takes them. Those of a group of the same name that was deleted stay
 * deleted: they would have the new one begin in the middle. Within `stage`.
 */
export function hideOldCheckpoints(log: Log, groups: readonly GroupKey[]): void {
  for (const stream of groups.map(checkpointStreamOf))
    if (readability(log, stream) === 'found') keepLast(log, stream, KEPT_CHECKPOINTS, Date.now())
}

/** The last parked event that was replayed or removed: those after it are parked. */
export function loadReplayed(log: Log, group: GroupKey): number {
  const stream = parkedStreamOf(group)
  return Math.min(log.lastRevision(stream), (metadataOf(log, stream).truncateBefore ?? 0) - 1)
}
