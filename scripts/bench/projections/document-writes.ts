import { PROJECTIONS } from '../../../projections/catalogue.ts'
import type { RecordedDomainEvent } from '../../../projections/projection.ts'
import type { Step } from '../workload/wallet-life.ts'

/** How many writes to documents the events are to all projections together; the position is that of the last one. */
export function documentWrites({ stream, events }: Step, position: bigint): number {
  let writes = 0
  for (const event of events) {
    const recorded = { ...event, stream, revision: 0n, position, recordedAt: event.metadata.occurredAt } as unknown as RecordedDomainEvent
    for (const projection of PROJECTIONS) writes += projection.apply(recorded).length
  }
  return writes
}
