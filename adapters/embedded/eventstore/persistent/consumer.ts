import type { ResolvedEvent } from '../streams/read.ts'

/** One event on its way to a consumer. */
export type Message = {
  /** What consumers answer with. */
  id: string
  resolved: ResolvedEvent
  /** Revision or position in the group's source; absent when it was replayed from the parked ones. */
  key: number | undefined
  /** Revision in the stream of parked events, when it was replayed from there. */
  parkedRevision: number | undefined
  retryCount: number
}

/** `blocked` while its connection does not take more. */
export type Consumer = { id: string; name: string; capacity: number; inFlight: number; totalItems: number; blocked: boolean }

export const isFull = ({ inFlight, capacity, blocked }: Consumer): boolean => blocked || inFlight >= capacity
