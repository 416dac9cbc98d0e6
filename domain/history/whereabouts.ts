import { lastMark } from '../audit/leaf-marks.ts'
import type { LeafOf } from '../audit/tree-documents.ts'
import type { Documents } from '../ports/documents.ts'
import type { EventLog } from '../ports/event-log.ts'

type Log = Pick<EventLog, 'readStream'>

/**
 * A position after which everything is that happened at the moment or later, and not much more; by the marks beside the tree. Undefined for the beginning of the
 * log, also when there are no marks. @throws Unavailable
 */
export async function positionBefore(
  { log, documents }: { readonly log: Log; readonly documents: Pick<Documents, 'get'> },
  moment: { readonly position: bigint } | { readonly time: number },
): Promise<bigint | undefined> {
  const mark = await lastMark(documents, async (each) => {
    if ('time' in moment) return each.latest < moment.time
    const position = await positionIn(log, each)
    return position !== undefined && position < moment.position
  })
  return mark && positionIn(log, mark)
}

/** Where an event is in this log, which may have been restored since. Undefined when it is not there. */
export async function positionIn(log: Log, { stream, revision, id }: LeafOf): Promise<bigint | undefined> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 }))
    if (event.revision === revision && event.id === id) return event.position
  return undefined
}
