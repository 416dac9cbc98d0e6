type ReadMany<Document> = (collection: string, ids: readonly string[]) => Promise<readonly Document[]>

type Waiting<Document> = { resolve(document: Document | undefined): void; reject(error: unknown): void }

const MAX_IDS = 500

/**
 * Reads of single documents that are asked for in the same turn of the event loop share one round trip per collection. The driver's cost is
 * per call, so under load this is several times the throughput; a read that is alone waits for nobody.
 */
export function createBatchedReads<Document extends { _id: string }>(
  readMany: ReadMany<Document>,
): (collection: string, id: string) => Promise<Document | undefined> {
  let queued = new Map<string, Map<string, Waiting<Document>[]>>()

  async function fetch(collection: string, waiting: readonly (readonly [id: string, readers: Waiting<Document>[]])[]): Promise<void> {
    try {
      const documents = await readMany(
        collection,
        waiting.map(([id]) => id),
      )
      const found = new Map(documents.map((document) => [document._id, document]))
      // Readers of the same document must not see each other's changes to it.
      for (const [id, readers] of waiting)
        for (const [i, { resolve }] of readers.entries()) resolve(i === 0 ? found.get(id) : structuredClone(found.get(id)))
    } catch (error) {
      for (const [, readers] of waiting) for (const { reject } of readers) reject(error)
    }
  }

  function flush(): void {
    const batches = queued
    queued = new Map()
    for (const [collection, readers] of batches) {
      const waiting = [...readers]
      for (let from = 0; from < waiting.length; from += MAX_IDS) void fetch(collection, waiting.slice(from, from + MAX_IDS))
    }
  }

  return (collection, id) =>
    new Promise((resolve, reject) => {
      if (queued.size === 0) setImmediate(flush)
      const readers = queued.get(collection) ?? new Map<string, Waiting<Document>[]>()
      queued.set(collection, readers)
      const waiting = readers.get(id)
      if (waiting) waiting.push({ resolve, reject })
      else readers.set(id, [{ resolve, reject }])
    })
}
