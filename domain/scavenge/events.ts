import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, text, whole } from '../upcasting/shape.ts'

/** What a scavenge removes, in events. */
export type Removable = {
  snapshots: number
  /** Of persistent subscriptions: checkpoints and settings. */
  subscriptions: number
  /** Of streams, when there is newer metadata. */
  metadata: number
  webhookRecords: number
  /** Of the store's other streams of its own, and of streams that are not Quorate's. */
  others: number
}

/** That somebody had the event store scavenged, behind which archive, and what came of it; no aggregate decides on these, they are for auditors to read. */
export type ScavengeEvent =
  | {
      type: 'ScavengeStarted'
      data: {
        scavengeId: string
        /** Of the last event of the log when it was looked at: nothing that came later is removed. */
        position: string
        /** Of the archive that was verified: place in the tree after its last event, and root of its tree, base64. */
        archivedEvents: number
        archiveRoot: string
        removable: Removable
      }
    }
  /** `storeScavengeId` is the store's own name for it. */
  | { type: 'ScavengeCompleted'; data: { scavengeId: string; storeScavengeId: string; result: string; error: string; bytesFreed: number } }

/** Stream of a scavenge. */
export const scavengeStream = (scavengeId: string) => `scavenge-${scavengeId}`
export const SCAVENGE_STREAMS = 'scavenge-'

const removable = fields({ snapshots: whole, subscriptions: whole, metadata: whole, webhookRecords: whole, others: whole })

/** What the events of a scavenge hold, through their versions. */
export const scavengeSchemas: EventSchemas<ScavengeEvent> = {
  ScavengeStarted: { shape: fields({ scavengeId: text, position: text, archivedEvents: whole, archiveRoot: text, removable }) },
  ScavengeCompleted: { shape: fields({ scavengeId: text, storeScavengeId: text, result: text, error: text, bytesFreed: whole }) },
}
