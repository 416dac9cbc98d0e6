import { canonicalEvent } from '../domain/audit/canonical-event.ts'
import { markWrites } from '../domain/audit/leaf-marks.ts'
import { type Frontier, frontierAt, growTree, HASH_BYTES, type Hash, leafHash, rootAt, type Sha256 } from '../domain/audit/merkle-tree.ts'
import { growTiles, NodeMissing, openTiles, type Tile } from '../domain/audit/tiles.ts'
import {
  type Generation,
  headWrite,
  leafWrite,
  readHead,
  readTile,
  type TreeHead,
  tileWrite,
  treeNodes,
} from '../domain/audit/tree-documents.ts'
import { streamWrites } from '../domain/audit/wallet-streams.ts'
import { timeOf } from '../domain/history/moment.ts'
import type { Documents } from '../domain/ports/documents.ts'
import type { RecordedEvent } from '../domain/ports/event-log.ts'

/** As far as the tree is stored; `last` is undefined while there is no leaf. */
export type StoredHead = TreeHead & { readonly root: Hash }

/** The tree of the log's events. When anything of it throws, it is to be opened again. */
export type StoredTree = {
  head(): StoredHead
  /** Of the tree when it was smaller, or as it is. */
  rootAt(size: number): Promise<Hash>
  /** The next leaves, in the order of the log. @throws DocumentMissing when the generation is not there any more, Unavailable */
  append(events: readonly RecordedEvent[]): Promise<void>
}

type TreeOptions = { documents: Pick<Documents, 'get' | 'apply'>; generation: Generation; sha256: Sha256 }

const encoder = new TextEncoder()

/** Goes on from what is stored. @throws NodeMissing when some of it is lost, Unavailable */
export async function openTree(options: TreeOptions): Promise<StoredTree> {
  const { documents, generation, sha256 } = options
  const stored = await readStored(options)
  const tiles = growTiles(stored.tiles)
  const tree = growTree(stored.frontier, sha256, tiles.add)
  let { latest } = stored
  let head: StoredHead = { size: tree.size(), root: tree.root(), last: stored.last, latest: stored.latest }
  return {
    head: () => head,
    rootAt: (size) => rootAt(size, treeNodes(documents, sha256), sha256),

    async append(events) {
      const last = events.at(-1)
      if (last === undefined) return
      const leaves = events.map((event) => {
        const index = tree.size()
        tree.append(leafHash(encoder.encode(canonicalEvent(event)), sha256))
        latest = Math.max(latest, timeOf(event) || 0)
        const leaf = leafWrite({ ...event, index, tenant: tenantOf(event) })
        return { position: BigInt(index), writes: [leaf, ...streamWrites(event), ...markWrites(index, { ...event, latest })] }
      })
      const size = tree.size()
      const root = tree.root()
      await documents.apply([...leaves, { position: BigInt(size), writes: tiles.takeChanged().map(tileWrite) }])
      // Only when all else is stored: what the head says is there.
      await documents.apply([{ position: BigInt(size), writes: [headWrite(generation, size, last, latest)] }])
      head = { size, root, last, latest }
    },
  }
}

type Stored = Pick<TreeHead, 'last' | 'latest'> & { frontier: Frontier; tiles: readonly Tile[] }

async function readStored({ documents, generation, sha256 }: TreeOptions): Promise<Stored> {
  const { size, last, latest } = (await readHead(documents, generation)) ?? { size: 0, last: undefined, latest: 0 }
  const frontier = await frontierAt(size, treeNodes(documents, sha256))
  const read = readTile(documents)
  const tiles = openTiles(size).map(async ({ count, ...address }) => {
    const hashes = count === 0 ? undefined : await read(address)
    if ((hashes?.length ?? 0) < count * HASH_BYTES) throw new NodeMissing('the last tile of a level is lost')
    return { ...address, hashes: hashes?.subarray(0, count * HASH_BYTES) ?? new Uint8Array() }
  })
  return { last, latest, frontier, tiles: await Promise.all(tiles) }
}

/** Whose the event is; nobody's but the platform's when it does not say. */
function tenantOf({ metadata }: RecordedEvent): string {
  const tenant: unknown = (metadata as Partial<RecordedEvent['metadata']> | undefined)?.tenant
  return typeof tenant === 'string' ? tenant : ''
}
