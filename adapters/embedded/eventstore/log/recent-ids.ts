/** The most recently appended event ids, to recognise a repeated append. Bounded: the oldest is forgotten first. */
export type RecentIds = {
  add(stream: number, id: string, revision: number): void
  find(stream: number, id: string): number | undefined
}

export function createRecentIds(limit: number): RecentIds {
  const revisions = new Map<string, number>()
  const key = (stream: number, id: string) => `${stream}/${id}`
  return {
    add(stream, id, revision) {
      revisions.set(key(stream, id), revision)
      if (revisions.size > limit) revisions.delete(revisions.keys().next().value!)
    },
    find: (stream, id) => revisions.get(key(stream, id)),
  }
}
