/** The tree as documents beside the read models: all of it can be made again from the log. */
import type { Document, Documents, GuardedWrite } from '../ports/documents.ts'
import type { RecordedEvent } from '../ports/event-log.ts'
import { base64ToBytes, bytesToBase64 } from './base64.ts'
import type { Sha256 } from './merkle-tree.ts'
import { nodesOfTiles, type ReadTile, type Tile, type TileAddress } from './tiles.ts'

const TREE = 'audit_tree'
const TILES = 'audit_tiles'
const LEAVES = 'audit_leaves'
const CHECKPOINTS = 'audit_checkpoints'

/** Documents of a version that had fewer of them are made anew. */
const GENERATION_ID = 'generation/2'
/** Sizes sort as their ids do. */
const SIZE_DIGITS = 16

/** Which event a leaf is. */
export type LeafOf = Pick<RecordedEvent, 'stream' | 'revision' | 'id'>

/**
 * One making of the documents. Whoever keeps them knows by its name when they were lost, and are being made anew; `number` is how often that was noticed by
 * what is missing.
 */
export type Generation = { readonly name: string; readonly number: number }

/**
 * How far the documents go: so many leaves, the last of which is this event, which was at that position of the log. `latest` is the latest time at which any of
 * them was decided, in milliseconds since 1970.
 */
export type TreeHead = { size: number; last: (LeafOf & { position: bigint }) | undefined; latest: number }

/** Where an event is in the tree, and whose it is. */
export type LeafEntry = LeafOf & { index: number; tenant: string }

/** A checkpoint as the log has it: `number` is its revision in the stream of checkpoints. */
export type StoredCheckpoint = { number: number; size: number; note: string; vkey: string }

type Reads = Pick<Documents, 'get' | 'find'>

export const readTile =
  (documents: Pick<Documents, 'get'>): ReadTile =>
  async (address) => {
    const document = await documents.get(TILES, tileId(address))
    return document && base64ToBytes(String(document.hashes))
  }

export const treeNodes = (documents: Pick<Documents, 'get'>, sha256: Sha256) => nodesOfTiles(readTile(documents), sha256)

export async function readGeneration(documents: Pick<Documents, 'get'>): Promise<Generation | undefined> {
  const document = await documents.get(TREE, GENERATION_ID)
  return document && { name: String(document.name), number: Number(document.position) }
}

/** How far the tree is; undefined when there is none. */
export async function readHead(documents: Pick<Documents, 'get'>, generation?: Generation): Promise<TreeHead | undefined> {
  const { name } = generation ?? (await readGeneration(documents)) ?? {}
  const document = name === undefined ? undefined : await documents.get(TREE, headId(name))
  if (!document) return undefined
  const { size, stream, revision, id, logPosition } = document
  const last = {
    stream: String(stream),
    revision: BigInt(String(revision ?? 0)),
    id: String(id),
    position: BigInt(String(logPosition ?? 0)),
  }
  return { size: Number(size), last: size === 0 ? undefined : last, latest: Number(document.latest ?? 0) }
}

/** How many of the checkpoints in the log are stored. */
export async function readStoredCheckpoints(documents: Pick<Documents, 'get'>, { name }: Generation): Promise<number> {
  return Number((await documents.get(TREE, chainId(name)))?.count ?? 0)
}

/** Of events with the same id, which only somebody else can have written, the last. */
export async function readLeaf(documents: Pick<Documents, 'get'>, id: string): Promise<LeafEntry | undefined> {
  const document = await documents.get(LEAVES, id)
  if (!document) return undefined
  const { index, stream, revision, tenant } = document
  return { id, index: Number(index), stream: String(stream), revision: BigInt(String(revision)), tenant: String(tenant) }
}

export async function readCheckpointOf(documents: Pick<Documents, 'get'>, size: number): Promise<StoredCheckpoint | undefined> {
  const document = await documents.get(CHECKPOINTS, sizeId(size))
  return document && checkpointIn(document)
}

/** The newest first, those of smaller trees than `below`, when it is given. */
export async function newestCheckpoints(documents: Pick<Reads, 'find'>, limit: number, below?: number): Promise<StoredCheckpoint[]> {
  const beyond = below === undefined ? undefined : sizeId(below)
  const found = await documents.find(CHECKPOINTS, { where: {}, by: '_id', direction: 'desc', beyond, limit })
  return found.map(checkpointIn)
}

/** The writes are guarded by the size of the tree, which no restored log changes, and not by positions in a log. */
export function tileWrite(tile: Tile): GuardedWrite {
  return { collection: TILES, id: tileId(tile), create: true, set: { hashes: bytesToBase64(tile.hashes) } }
}

export function leafWrite({ id, index, stream, revision, tenant }: LeafEntry): GuardedWrite {
  return { collection: LEAVES, id, create: true, set: { index, stream, revision: revision.toString(), tenant } }
}

/** What begins a generation. Of several that are begun at once with the same number the first one is. */
export function generationWrites({ name }: Pick<Generation, 'name'>): GuardedWrite[] {
  return [
    { collection: TREE, id: headId(name), create: true, set: { size: 0 } },
    { collection: TREE, id: chainId(name), create: true, set: { count: 0 } },
    { collection: TREE, id: GENERATION_ID, create: true, set: { name } },
  ]
}

/** Only while the generation is there. */
export function headWrite(
  { name }: Generation,
  size: number,
  { stream, revision, id, position }: NonNullable<TreeHead['last']>,
  latest: number,
): GuardedWrite {
  const set = { size, stream, revision: revision.toString(), id, logPosition: position.toString(), latest }
  return { collection: TREE, id: headId(name), create: false, set }
}

/** Only while the generation is there. */
export function storedCheckpointsWrite({ name }: Generation, count: number): GuardedWrite {
  return { collection: TREE, id: chainId(name), create: false, set: { count } }
}

export function checkpointWrite({ number, size, note, vkey }: StoredCheckpoint): GuardedWrite {
  return { collection: CHECKPOINTS, id: sizeId(size), create: true, set: { number, size, note, vkey } }
}

const headId = (generation: string) => `head/${generation}`
const chainId = (generation: string) => `checkpoints/${generation}`
const tileId = ({ level, index }: TileAddress) => `${level}/${index}`
const sizeId = (size: number) => String(size).padStart(SIZE_DIGITS, '0')

function checkpointIn({ number, size, note, vkey }: Document): StoredCheckpoint {
  return { number: Number(number), size: Number(size), note: String(note), vkey: String(vkey) }
}
