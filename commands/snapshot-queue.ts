import type { EventLog } from '../domain/ports/event-log.ts'

export type SnapshotQueue = {
  /** Has the snapshot written some time soon; nobody waits for it. */
  write(stream: string, snapshot: () => Promise<object>): void
}

export type SnapshotQueueOptions = { onFailure(stream: string, error: unknown): void; atOnce?: number; waiting?: number }

/**
 * Writes snapshots beside the work that they are taken of: at most `atOnce` at a time, of each stream the newest only. When more than
 * `waiting` streams wait the oldest is dropped: the next snapshot of its stream makes up for it.
 */
export function snapshotQueue(
  log: Pick<EventLog, 'writeSnapshot'>,
  { onFailure, atOnce = 2, waiting = 1_000 }: SnapshotQueueOptions,
): SnapshotQueue {
  const queue = new Map<string, () => Promise<object>>()
  let writing = 0

  async function writeNext(): Promise<void> {
    const next = queue.entries().next()
    if (next.done || writing >= atOnce) return
    const [stream, snapshot] = next.value
    queue.delete(stream)
    writing++
    try {
      await log.writeSnapshot(stream, await snapshot())
    } catch (error) {
      onFailure(stream, error)
    } finally {
      writing--
    }
    void writeNext()
  }

  return {
    write(stream, snapshot) {
      queue.delete(stream)
      queue.set(stream, snapshot)
      const [oldest] = queue.keys()
      if (queue.size > waiting && oldest !== undefined) queue.delete(oldest)
      setImmediate(writeNext)
    },
  }
}
