import { randomUUID } from 'node:crypto'
import type { EventLog } from '../../domain/ports/event-log.ts'
import type { Appends } from './appends.ts'
import type { Reads } from './reads.ts'

const PREFIX = 'snapshot-'
const TYPE = 'Snapshot'

/** Of a stream with this metadata the store keeps the last event only. */
const KEEP_ONE = { $maxCount: 1 }

/** Whether an event is a snapshot, and not something that happened. */
export const isSnapshot = ({ stream }: { stream: string }) => stream.startsWith(PREFIX)

/** Snapshots of streams, each in a stream of its own. */
export function snapshotsIn(
  { lastOf }: Pick<Reads, 'lastOf'>,
  { append }: Pick<Appends, 'append'>,
): Pick<EventLog, 'readSnapshot' | 'writeSnapshot'> {
  const newest = async (stream: string): Promise<unknown> => (await lastOf(stream))?.data
  const put = (stream: string, type: string, data: object) => append(stream, 'any', [{ id: randomUUID(), type, data, metadata: {} }])

  return {
    readSnapshot: (stream) => newest(PREFIX + stream),

    async writeSnapshot(stream, snapshot) {
      // Looked at each time: a stream whose first snapshot was interrupted must not grow for ever.
      const metadata = (await newest(`$$${PREFIX}${stream}`)) as Partial<typeof KEEP_ONE> | undefined
      if (metadata?.$maxCount !== KEEP_ONE.$maxCount) await put(`$$${PREFIX}${stream}`, '$metadata', KEEP_ONE)
      await put(PREFIX + stream, TYPE, snapshot)
    },
  }
}
