import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { requireHeld } from '../../audit/archive/holding.ts'
import type { ReadingOptions } from '../../audit/archive/reading.ts'
import { bytesToBase64 } from '../../domain/audit/base64.ts'
import { type EventLog, Unavailable } from '../../domain/ports/event-log.ts'
import type { ScavengedStore, ScavengeOutcome } from '../../domain/ports/scavenged-store.ts'
import { type Removable, type ScavengeEvent, scavengeStream } from '../../domain/scavenge/events.ts'
import { PLATFORM_TENANT } from '../../http/route.ts'
import { countStored, lessOf, surveyStore } from './survey.ts'

/** Events that Quorate is made of would go. */
export class HistoryHidden extends Error {
  override readonly name = 'HistoryHidden'
  readonly code = 'history_hidden'
}

export type ScavengingOptions = {
  readonly log: EventLog
  readonly store: ScavengedStore
  /** Verified. */
  readonly archive: ReadingOptions
  /** What was recorded before must be archived. */
  readonly recordedBefore: Date
  /** Who has it done. */
  readonly by: string
  /** Nothing is removed, and nothing is said of it in the log. */
  readonly isDryRun: boolean
  /** The store's name for the scavenge, when it has begun. */
  onStarted?(storeScavengeId: string): void
}

/** `removed` is of the events up to the position; it may be more than was found removable, since the store goes on. */
export type Scavenged = {
  readonly archivedEvents: number
  readonly archiveRoot: string
  readonly position: bigint
  readonly removable: Removable
  readonly done?: { readonly scavengeId: string; readonly removed: Removable } & ScavengeOutcome
}

const LOOK_EVERY_MS = 250
/** The largest stores take hours. */
const ENDS_WITHIN_MS = 24 * 3_600_000
/** A store that is restarted or changes its leader answers again, and says then what became of the scavenge. */
const SILENT_AT_MOST_MS = 10 * 60_000
/** No event was recorded before. */
const NOTHING = new Date(0)

/**
 * Has the event store remove what no read of a stream may show any more, provided that the archive holds the log and that nothing of what Quorate is made of
 * would go; before and after it is in the log that this was done, and afterwards all that is archived must still be in the log. It takes as long as the store does, a day at most.
 * @throws NotHeld, HistoryHidden, ScavengeUnderWay, Unavailable, and as `readManifests`
 */
export async function scavengeBehindArchive(options: ScavengingOptions): Promise<Scavenged> {
  const { log, store, archive, recordedBefore, by, isDryRun, onStarted = () => {} } = options
  const { events: archivedEvents, root } = await requireHeld(log, archive, recordedBefore)
  const archiveRoot = bytesToBase64(root)
  const { removable, position, needed } = await surveyStore(store, Date.now())
  if (needed)
    throw new HistoryHidden(
      `${needed.stream} is deleted or cut short: its events from revision ${needed.revision} (position ${needed.position}) on would be removed, of which Quorate is made. Take that back first`,
    )
  const found = { archivedEvents, archiveRoot, position, removable }
  if (isDryRun) return found
  const before = await countStored(store, position)
  const scavengeId = randomUUID()
  const record = recorder(log, scavengeId, by)
  await record({ type: 'ScavengeStarted', data: { scavengeId, position: position.toString(), archivedEvents, archiveRoot, removable } })
  const storeScavengeId = await store.startScavenge()
  onStarted(storeScavengeId)
  const outcome = await outcomeOf(store, storeScavengeId)
  await record({ type: 'ScavengeCompleted', data: { scavengeId, storeScavengeId, ...outcome } })
  await requireHeld(log, archive, NOTHING)
  return { ...found, done: { scavengeId, removed: lessOf(before, await countStored(store, position)), ...outcome } }
}

async function outcomeOf(store: ScavengedStore, scavengeId: string): Promise<ScavengeOutcome> {
  let heard = Date.now()
  for (const deadline = heard + ENDS_WITHIN_MS; Date.now() < deadline; await delay(LOOK_EVERY_MS)) {
    try {
      const outcome = await store.outcomeOf(scavengeId)
      if (outcome) return outcome
      heard = Date.now()
    } catch (error) {
      if (!(error instanceof Unavailable) || Date.now() - heard > SILENT_AT_MOST_MS) throw error
    }
  }
  throw new Unavailable('eventstore')
}

/** Appends what has been done to the stream of the scavenge. */
function recorder(log: Pick<EventLog, 'append'>, scavengeId: string, actor: string) {
  let last: bigint | 'no_stream' = 'no_stream'
  return async ({ type, data }: ScavengeEvent) => {
    const causes = { commandId: scavengeId, correlationId: scavengeId, causationId: scavengeId }
    const metadata = { ...causes, actor, tenant: PLATFORM_TENANT, occurredAt: new Date().toISOString(), schemaVersion: 1 }
    const appended = await log.append(scavengeStream(scavengeId), last, [{ id: randomUUID(), type, data, metadata }])
    last = appended.revision
  }
}
