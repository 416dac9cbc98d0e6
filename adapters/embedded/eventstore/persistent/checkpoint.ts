import type { Log } from '../log/log.ts'
import { lastEvent, metadataOf, readability } from '../streams/stream-state.ts'
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

/** The last parked event that was replayed or removed: those after it are parked. */
export function loadReplayed(log: Log, group: GroupKey): number {
  const stream = parkedStreamOf(group)
  return Math.min(log.lastRevision(stream), (metadataOf(log, stream).truncateBefore ?? 0) - 1)
}
