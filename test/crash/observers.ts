import { type EventStoreDBClient, START } from '@eventstore/db-client'
import { placeOf } from './audit.ts'

/** A live subscriber to the log of all streams after a position: the places of the events it has been sent, in their order. */
export function observe(client: EventStoreDBClient, after: bigint | undefined): { seen: readonly string[] } {
  const seen: string[] = []
  client
    .subscribeToAll({ fromPosition: after === undefined ? START : { commit: after, prepare: after } })
    .on('data', ({ event }) => {
      if (event) seen.push(placeOf(event))
    })
    // It ends with the server.
    .on('error', () => {})
  return { seen }
}

/** @throws when the log has not, first and in this order, what a reader was sent before the server went */
export function expectPrefix(seen: readonly string[], log: readonly string[]): void {
  const at = seen.findIndex((place, index) => place !== log[index])
  if (at >= 0) throw new Error(`a reader had seen ${seen[at]}, and now the log has ${log[at]} in its place`)
}
