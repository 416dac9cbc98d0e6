/** What a scavenge of the event store needs of it, beside the log. */
import type { RecordedEvent } from './event-log.ts'

/** What the store says of a scavenge that has ended. `error` is empty unless it failed. */
export type ScavengeOutcome = { readonly result: string; readonly error: string; readonly bytesFreed: number }

/** The store is at it already, at whosever wish. */
export class ScavengeUnderWay extends Error {
  override readonly name = 'ScavengeUnderWay'
  readonly code = 'scavenge_under_way'
  constructor(readonly scavengeId: string) {
    super(`the event store is being scavenged already (${scavengeId})`)
  }
}

export interface ScavengedStore {
  /** Everything that is stored, in the log's order: snapshots and events of system streams, too. @throws Unavailable */
  readStored(): AsyncIterable<RecordedEvent>
  /** Begins to remove what no read of a stream may show any more. @returns the store's name for it @throws ScavengeUnderWay, Unavailable */
  startScavenge(): Promise<string>
  /** Undefined as long as it goes on. @throws Unavailable */
  outcomeOf(scavengeId: string): Promise<ScavengeOutcome | undefined>
  close(): Promise<void>
}
