import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { base64ToBytes } from './base64.ts'
import {
  consistencyProof,
  emptyRoot,
  frontierAt,
  growTree,
  type Hash,
  inclusionProof,
  leafHash,
  nodeHash,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from './merkle-tree.ts'

/** Of the reference implementation of Certificate Transparency: leaves, and the root after each, from none on. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hexToBytes)
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

type Vector = { name: string; proof: string[] | null; wantErr: boolean }
type InclusionVector = Vector & { leafIdx: number; treeSize: number; root: string; leafHash: string }
type ConsistencyVector = Vector & { size1: number; size2: number; root1: string; root2: string }
const vectors: { inclusion: InclusionVector[]; consistency: ConsistencyVector[] } = JSON.parse(
  await readFile(join(resolve(import.meta.dirname, '../../../domain/audit'), 'vectors/merkle-proofs.json'), 'utf8'),
)
const bytes = (text: string | null) => base64ToBytes(text ?? '')!
const hashes = (texts: string[] | null) => (texts ?? []).map(bytes)

/** MTH of RFC 6962, section 2.1, word for word. */
function naiveRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot()
  if (leaves.length === 1) return leaves[0]!
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => leafHash(utf8ToBytes(`leaf ${index}`)))
const nodesOf = (leaves: readonly Hash[]) => (level: number, index: number) =>
  naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))

/** A tree of up to 70 leaves, and an earlier one. */
const trees = fc.integer({ min: 1, max: 70 }).chain((to) => fc.tuple(fc.integer({ min: 1, max: to }), fc.constant(to)))

test('a tree has the roots that are known of it while it grows', (t) => {
  const tree = growTree()
  t.is(bytesToHex(tree.root()), ROOTS[0]!)
  for (const [index, leaf] of LEAVES.entries()) {
    tree.append(leafHash(leaf))
    t.is(bytesToHex(tree.root()), ROOTS[index + 1]!)
  }
})

for (const { name, leafIdx, treeSize, root, leafHash, proof, wantErr } of vectors.inclusion)
  test(`${name} is ${wantErr ? 'refused' : 'taken'}`, (t) => {
    const inclusion = { leaf: bytes(leafHash), index: leafIdx, size: treeSize, proof: hashes(proof), root: bytes(root) }
    t.is(verifyInclusion(inclusion), !wantErr)
  })

for (const { name, size1, size2, root1, root2, proof, wantErr } of vectors.consistency)
  test(`${name} is ${wantErr ? 'refused' : 'taken'}`, (t) => {
    const consistency = { from: { size: size1, root: bytes(root1) }, to: { size: size2, root: bytes(root2) }, proof: hashes(proof) }
    t.is(verifyConsistency(consistency), !wantErr)
  })

test('a tree that grows, is left and gone on with has the root that the definition gives', async (t) => {
  await fc.assert(
    fc.asyncProperty(trees, async ([from, to]) => {
      const leaves = leavesOf(to)
      const tree = growTree()
      for (const leaf of leaves.slice(0, from)) tree.append(leaf)
      t.deepEqual(await frontierAt(from, nodesOf(leaves)), tree.frontier())
      const next = growTree(tree.frontier())
      for (const leaf of leaves.slice(from)) next.append(leaf)
      t.is(next.size(), to)
      t.deepEqual(next.root(), naiveRoot(leaves))
      t.deepEqual(await rootAt(from, nodesOf(leaves)), tree.root())
    }),
  )
})

test('every leaf is proved to be in the tree, and no other, and nowhere else', async (t) => {
  await fc.assert(
    fc.asyncProperty(trees, fc.nat(), async ([before, size], other) => {
      const index = before - 1
      const leaves = leavesOf(size)
      const proof = await inclusionProof(index, size, nodesOf(leaves))
      const inclusion = { leaf: leaves[index]!, index, size, proof, root: naiveRoot(leaves) }
      t.true(verifyInclusion(inclusion))
      t.is(verifyInclusion({ ...inclusion, index: other % size }), other % size === index)
      t.false(verifyInclusion({ ...inclusion, leaf: leafHash(utf8ToBytes('another')) }))
      t.false(verifyInclusion({ ...inclusion, size: size + 1 + other, root: nodeHash(inclusion.root, inclusion.root) }))
      t.false(verifyInclusion({ ...inclusion, proof: [...proof, inclusion.root] }))
      if (proof.length > 0) t.false(verifyInclusion({ ...inclusion, proof: proof.slice(0, -1) }))
    }),
  )
})

test('every tree is proved to go on from each earlier one, and from nothing else', async (t) => {
  await fc.assert(
    fc.asyncProperty(trees, fc.nat(), async ([from, to], changed) => {
      const leaves = leavesOf(to)
      const proof = await consistencyProof(from, to, nodesOf(leaves))
      const consistency = { from: { size: from, root: naiveRoot(leaves.slice(0, from)) }, to: { size: to, root: naiveRoot(leaves) }, proof }
      t.true(verifyConsistency(consistency))
      const rewritten = leaves.with(changed % from, leafHash(utf8ToBytes('another')))
      t.false(verifyConsistency({ ...consistency, from: { size: from, root: naiveRoot(rewritten.slice(0, from)) } }))
      t.false(verifyConsistency({ ...consistency, to: { size: to, root: naiveRoot(rewritten) } }))
      t.false(verifyConsistency({ ...consistency, proof: [...proof, leaves[0]!] }))
    }),
  )
})

test('sizes beyond 32 bits are sizes like any other', async (t) => {
  const most = 2 ** 40
  const size = most + 3
  const leaf = (index: number) => leafHash(utf8ToBytes(`leaf ${index}`))
  /** Of the perfect subtree of the first 2^40 leaves only the root matters. */
  const node = (level: number, index: number) => (level === 1 ? nodeHash(leaf(2 * index), leaf(2 * index + 1)) : leaf(index))
  const root = await rootAt(size, node)
  const inclusion = { leaf: leaf(most + 1), index: most + 1, size, proof: await inclusionProof(most + 1, size, node), root }
  t.true(verifyInclusion(inclusion))
  t.false(verifyInclusion({ ...inclusion, index: 1 }))
  const from = { size: most + 2, root: await rootAt(most + 2, node) }
  const consistency = { from, to: { size, root }, proof: await consistencyProof(from.size, size, node) }
  t.true(verifyConsistency(consistency))
  t.false(verifyConsistency({ ...consistency, from: { ...from, size: 2 } }))
})

test('nothing is proved of what is not there', async (t) => {
  const nodes = nodesOf(leavesOf(4))
  for (const [index, size] of [
    [4, 4],
    [-1, 4],
    [0, 0],
    [0.5, 4],
  ] as const)
    t.throws(() => inclusionProof(index, size, nodes), { instanceOf: RangeError })
  for (const [from, to] of [
    [0, 4],
    [5, 4],
    [-1, 4],
  ] as const)
    t.throws(() => consistencyProof(from, to, nodes), { instanceOf: RangeError })
})
