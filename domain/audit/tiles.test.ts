import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { frontierAt, growTree, inclusionProof, leafHash, rootAt, verifyInclusion } from './merkle-tree.ts'
import { growTiles, NodeMissing, nodesOfTiles, openTiles, TILE_HASHES, type Tile } from './tiles.ts'

const leaf = (index: number) => leafHash(utf8ToBytes(`leaf ${index}`))

/** A tree that is stored, left and gone on with after each of these numbers of leaves. */
async function storedTree(sizes: readonly number[]) {
  const stored = new Map<string, Uint8Array>()
  const readTile = async ({ level, index }: Pick<Tile, 'level' | 'index'>) => stored.get(`${level}/${index}`)
  const roots: Uint8Array[] = []
  let size = 0
  for (const next of sizes) {
    const open = await Promise.all(
      openTiles(size).map(async ({ count, ...address }) => ({
        ...address,
        hashes: (await readTile(address))?.subarray(0, count * 32) ?? new Uint8Array(),
      })),
    )
    const tiles = growTiles(open)
    const tree = growTree(await frontierAt(size, nodesOfTiles(readTile, sha256)), sha256, tiles.add)
    for (; size < next; size++) tree.append(leaf(size))
    for (const { level, index, hashes } of tiles.takeChanged()) stored.set(`${level}/${index}`, hashes)
    roots.push(tree.root())
  }
  return { stored, nodes: () => nodesOfTiles(readTile, sha256), roots }
}

test('a tree of more than a tile, stored in parts, is the tree', async (t) => {
  const sizes = [1, 255, 256, 257, 512, 700, 1500]
  const { stored, nodes, roots } = await storedTree(sizes)
  const whole = growTree()
  let at = 0
  for (const [i, size] of sizes.entries()) {
    for (; at < size; at++) whole.append(leaf(at))
    t.deepEqual(roots[i], whole.root())
    t.deepEqual(await rootAt(size, nodes()), whole.root())
  }
  t.deepEqual([...stored.keys()].toSorted(), ['0/0', '0/1', '0/2', '0/3', '0/4', '0/5', '1/0'])
  t.is(stored.get('0/0')!.length, TILE_HASHES * 32)
  t.is(stored.get('0/5')!.length, (1500 - 5 * 256) * 32)
  t.is(stored.get('1/0')!.length, 5 * 32)
  for (const index of [0, 255, 256, 1023, 1499]) {
    const proof = await inclusionProof(index, 1500, nodes())
    t.true(verifyInclusion({ leaf: leaf(index), index, size: 1500, proof, root: whole.root() }))
  }
})

test('of three levels of tiles the highest has one hash for each 65536 leaves', async (t) => {
  const { stored, nodes, roots } = await storedTree([65_535, 65_536, 65_537])
  t.is(stored.get('2/0')!.length, 32)
  t.deepEqual(stored.get('2/0')!, roots[1])
  t.deepEqual(await rootAt(65_537, nodes()), roots[2])
})

test('what the tiles do not have is missing', async (t) => {
  const { nodes } = await storedTree([300])
  await t.throwsAsync(async () => nodes()(0, 300), { instanceOf: NodeMissing })
  await t.throwsAsync(async () => nodes()(2, 75), { instanceOf: NodeMissing })
  await t.throwsAsync(async () => nodes()(16, 0), { instanceOf: NodeMissing })
  await t.notThrowsAsync(async () => nodes()(2, 74))
})
