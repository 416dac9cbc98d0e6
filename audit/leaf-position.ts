import type { LeafOf } from '../domain/audit/tree-documents.ts'
import { positionIn } from '../domain/history/whereabouts.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { Contradiction } from './contradiction.ts'

/** Where the event is in this log, which may have been restored since: events are the same then, at other positions. @throws Contradiction */
export async function positionOf(log: Pick<EventLog, 'readStream'>, leaf: LeafOf): Promise<bigint> {
  const position = await positionIn(log, leaf)
  if (position !== undefined) return position
  throw new Contradiction('leaf_missing', `event ${leaf.id}, which is the last of the tree, is not in the log any more`)
}
