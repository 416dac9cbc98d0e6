/**
 * Where the most recently appended events are, by their ids, to recognise a repeated append. Bounded: the oldest is forgotten first. An id
 * that was appended to two streams is remembered for the later one only, as in EventStoreDB.
 */
export type RecentIds = {
  add(id: string, stream: number, revision: number): void
  find(id: string, stream: number): number | undefined
}

export function createRecentIds(limit: number): RecentIds {
  const places = new Map<string, { stream: number; revision: number }>()
  return {
    add(id, stream, revision) {
      places.set(id, { stream, revision })
      if (places.size > limit) places.delete(places.keys().next().value!)
    },
    find(id, stream) {
      const place = places.get(id)
      return place?.stream === stream ? place.revision : undefined
    },
  }
}
