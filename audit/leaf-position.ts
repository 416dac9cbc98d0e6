import type { LeafOf } from '../domain/audit/tree-documents.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { Contradiction } from './contradiction.ts'

/** Where the event is in this log, which may have been restored since: events are the same then, at other positions. @throws Contradiction */
export async function positionOf(log: Pick<EventLog, 'readStream'>, { stream, revision, id }: LeafOf): Promise<bigint> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 }))
    if (event.revision === revision && event.id === id) return event.position
  throw new Contradiction('leaf_missing', `event ${id}, which is the last of the tree, is not in the log any more`)
}
