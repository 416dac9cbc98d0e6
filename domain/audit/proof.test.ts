import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { signCheckpoint } from './checkpoint.ts'
import { consistencyProof, growTree, type Hash, inclusionProof, leafHash } from './merkle-tree.ts'
import { type ConsistencyProof, hashesOf, type InclusionProof, readProof, verifyConsistencyProof, verifyInclusionProof } from './proof.ts'
import type { NoteKey } from './signed-note.ts'

const log = newIdentity('log.example/test')
const key: NoteKey = { name: log.id, kind: 'ed25519', publicKey: log.publicKey }
const texts = Array.from({ length: 7 }, (_, n) => `{"n":${n}}`)
const leaves = texts.map((text) => leafHash(utf8ToBytes(text)))

const treeOf = (hashes: readonly Hash[]) => {
  const tree = growTree()
  for (const hash of hashes) tree.append(hash)
  return tree
}
const node = (level: number, index: number) => treeOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)).root()
const checkpoint = (size: number, identity = log, root = treeOf(leaves.slice(0, size)).root()) =>
  signCheckpoint({ size, root, previous: undefined, time: '2026-01-01T00:00:00.000Z' }, identity)

const inclusion = async (index: number, size: number): Promise<InclusionProof> => ({
  kind: 'inclusion',
  leaf: texts[index]!,
  index,
  hashes: hashesOf(await inclusionProof(index, size, node)),
  checkpoint: await checkpoint(size),
})
const consistency = async (from: number, to: number): Promise<ConsistencyProof> => ({
  kind: 'consistency',
  from: await checkpoint(from),
  to: await checkpoint(to),
  hashes: hashesOf(await consistencyProof(from, to, node)),
})
const included = (proof: InclusionProof) => verifyInclusionProof(proof, key, verifyIdentity)
const consistent = (proof: ConsistencyProof) => verifyConsistencyProof(proof, key, verifyIdentity)

test('what is proved is read as it was written, and holds', async (t) => {
  const proof = await inclusion(4, 7)
  t.deepEqual(readProof(JSON.stringify(proof)), proof)
  t.is(included(proof).size, 7)
  const between = await consistency(3, 7)
  t.deepEqual(readProof(JSON.stringify(between)), between)
  t.like(consistent(between), { from: { size: 3 }, to: { size: 7 } })
})

test('an event that was changed, or is somewhere else, is found', async (t) => {
  const proof = await inclusion(4, 7)
  const invalid = { code: 'inclusion_invalid' }
  t.throws(() => included({ ...proof, leaf: texts[3]! }), invalid)
  t.throws(() => included({ ...proof, index: 3 }), invalid)
  t.throws(() => included({ ...proof, hashes: proof.hashes.toReversed() }), invalid)
  t.throws(() => included({ ...proof, hashes: proof.hashes.slice(1) }), invalid)
  const before = await checkpoint(6)
  t.throws(() => included({ ...proof, checkpoint: before }), invalid)
  t.throws(() => included({ ...proof, leaf: '{ "n":4}' }), invalid)
})

test('a checkpoint that was forged, or changed, is found', async (t) => {
  const proof = await inclusion(4, 7)
  const forged = await checkpoint(7, newIdentity(log.id))
  for (const note of [forged, proof.checkpoint.replace('\n7\n', '\n8\n'), proof.checkpoint.replace('2026', '2025'), ''])
    t.throws(() => included({ ...proof, checkpoint: note }), { code: 'checkpoint_invalid' })
  const between = await consistency(3, 7)
  t.throws(() => consistent({ ...between, from: between.from.replace('\n3\n', '\n2\n') }), { code: 'checkpoint_invalid' })
})

test('a log that does not go on from what it was is found', async (t) => {
  const between = await consistency(3, 7)
  const rewritten = treeOf(leaves.with(1, leaves[2]!))
  const invalid = { code: 'consistency_invalid' }
  const other = await checkpoint(7, log, rewritten.root())
  t.throws(() => consistent({ ...between, to: other }), invalid)
  t.throws(() => consistent({ ...between, from: between.to, to: between.from }), invalid)
  t.throws(() => consistent({ ...between, hashes: [] }), invalid)
})

test('what is not quite a proof is none', async (t) => {
  const proof = await inclusion(4, 7)
  const { leaf: _, ...without } = proof
  for (const value of [
    null,
    [],
    {},
    without,
    { ...proof, kind: 'other' },
    { ...proof, more: 1 },
    { ...proof, index: -1 },
    { ...proof, index: '4' },
    { ...proof, hashes: ['AAAA'] },
    { ...proof, hashes: Array(65).fill(proof.hashes[0]) },
    { ...proof, checkpoint: 1 },
  ])
    t.throws(() => readProof(JSON.stringify(value)), { code: 'proof_malformed' })
  t.throws(() => readProof('{'), { code: 'proof_malformed' })
})
