/**
 * The tree in tiles (c2sp.org/tlog-tiles): of every eighth level the hashes, 256 in a tile, and fewer in the last. Levels between are made of them when they
 * are asked for.
 */
import { growTree, HASH_BYTES, type Hash, type ReadNode, type Sha256 } from './merkle-tree.ts'

const LEVELS = 8
export const TILE_HASHES = 2 ** LEVELS

/** `level` counts tiles: its hashes are the roots of 256^`level` leaves each. */
export type TileAddress = { readonly level: number; readonly index: number }

/** `hashes` are in one piece, 32 bytes each. */
export type Tile = TileAddress & { readonly hashes: Uint8Array }

/** The hashes of a tile as far as it goes; undefined when there is none. */
export type ReadTile = (address: TileAddress) => Promise<Uint8Array | undefined>

/** A node of the tree that should be there is not: tiles were lost, or are behind. */
export class NodeMissing extends Error {
  override readonly name = 'NodeMissing'
}

/** Nodes from tiles, each of which is read once. Rejects with NodeMissing for what is beyond the tiles. */
export function nodesOfTiles(readTile: ReadTile, sha256: Sha256): ReadNode {
  const tiles = new Map<string, Promise<Uint8Array | undefined>>()
  const tileAt = (address: TileAddress) => {
    const key = `${address.level}/${address.index}`
    const tile = tiles.get(key) ?? readTile(address)
    tiles.set(key, tile)
    return tile
  }
  return async (level, index) => {
    const hashesBelow = 2 ** (level % LEVELS)
    const first = index * hashesBelow
    const address = { level: Math.floor(level / LEVELS), index: Math.floor(first / TILE_HASHES) }
    const from = (first % TILE_HASHES) * HASH_BYTES
    const hashes = (await tileAt(address))?.subarray(from, from + hashesBelow * HASH_BYTES)
    if (hashes?.length !== hashesBelow * HASH_BYTES) throw new NodeMissing(`the tree has no node ${index} of level ${level}`)
    const subtree = growTree(undefined, sha256)
    for (const hash of eachHash(hashes)) subtree.append(hash)
    return subtree.root()
  }
}

/** The last tile of each level of a tree of this size, in which there is still room; from the bottom. */
export function openTiles(size: number): (TileAddress & { readonly count: number })[] {
  const open: (TileAddress & { count: number })[] = []
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_HASHES))
    open.push({ level, index: Math.floor(hashes / TILE_HASHES), count: hashes % TILE_HASHES })
  return open
}

/** Tiles that grow with a tree. */
export type GrowingTiles = {
  /** Takes what `growTree` says of its subtrees. */
  add(level: number, root: Hash): void
  /** Tiles with hashes that they did not have the last time it was asked. */
  takeChanged(): Tile[]
}

/** `open` are the tiles that are not full, as `openTiles` names them. */
export function growTiles(open: readonly Tile[]): GrowingTiles {
  const last = new Map<number, { index: number; hashes: Hash[] }>(
    open.map(({ level, index, hashes }) => [level, { index, hashes: [...eachHash(hashes)] }]),
  )
  const changed = new Map<string, { address: TileAddress; hashes: readonly Hash[] }>()
  return {
    add(treeLevel, root) {
      if (treeLevel % LEVELS !== 0) return
      const level = treeLevel / LEVELS
      const known = last.get(level) ?? { index: 0, hashes: [] }
      const tile = known.hashes.length < TILE_HASHES ? known : { index: known.index + 1, hashes: [] }
      tile.hashes.push(root)
      last.set(level, tile)
      changed.set(`${level}/${tile.index}`, { address: { level, index: tile.index }, hashes: tile.hashes })
    },
    takeChanged() {
      const tiles = [...changed.values()].map(({ address, hashes }) => ({ ...address, hashes: joined(hashes) }))
      changed.clear()
      return tiles
    },
  }
}

function* eachHash(hashes: Uint8Array): Generator<Hash> {
  for (let at = 0; at < hashes.length; at += HASH_BYTES) yield hashes.subarray(at, at + HASH_BYTES)
}

function joined(hashes: readonly Hash[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES)
  for (const [index, hash] of hashes.entries()) bytes.set(hash, index * HASH_BYTES)
  return bytes
}
