import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { readCheckpoint, signCheckpoint } from './checkpoint.ts'
import { consistencyProof, growTree, leafHash, nodeHash } from './merkle-tree.ts'
import type { NoteKey } from './signed-note.ts'
import { cosign, isConsistent, readWitnessed } from './witness.ts'

const log = newIdentity('quorate.example/log')
const logKey: NoteKey = { name: log.id, kind: 'ed25519', publicKey: log.publicKey }
const witness = newIdentity('witness.example/w1')
const witnessKey: NoteKey = { name: witness.id, kind: 'cosignature', publicKey: witness.publicKey }
const TIME = '2026-01-02T03:04:05.678Z'

const leaves = Array.from({ length: 4 }, (_, index) => leafHash(utf8ToBytes(`leaf ${index}`)))
const rootOf = (size: number) => {
  const tree = growTree()
  for (const leaf of leaves.slice(0, size)) tree.append(leaf)
  return tree.root()
}
const nodes = (level: number, index: number) => (level === 0 ? leaves[index]! : nodeHash(leaves[2 * index]!, leaves[2 * index + 1]!))
const checkpointOf = async (size: number, root = rootOf(size)) => signCheckpoint({ size, root, previous: undefined, time: TIME }, log)

test('a witness adds a line to a checkpoint, which stays the same', async (t) => {
  const note = await checkpointOf(3)
  const witnessed = await cosign(note, witness, 1_679_315_147)
  t.true(witnessed.startsWith(note))
  const read = readWitnessed(witnessed, logKey, [witnessKey], verifyIdentity)
  t.deepEqual(read.checkpoint, readCheckpoint(note, logKey, verifyIdentity).checkpoint)
  t.notThrows(() => readWitnessed(note, logKey, [], verifyIdentity))
})

test('what the log has not signed, or a witness not seen, is not witnessed', async (t) => {
  const note = await checkpointOf(3)
  const witnessed = await cosign(note, witness, 1_679_315_147)
  const read = (text: string, witnesses = [witnessKey]) => readWitnessed(text, logKey, witnesses, verifyIdentity)
  t.throws(() => read(note), { code: 'signature_missing' })
  t.throws(() => read(witnessed, [logKey]), { code: 'key_malformed' })
  const forged = await signCheckpoint({ size: 3, root: rootOf(2), previous: undefined, time: TIME }, newIdentity(log.id))
  t.throws(() => read(forged, []), { code: 'signature_missing' })
  const cosignatureOf = (signed: string) => `${signed.split('\n').at(-2)}\n`
  t.throws(() => read(`${note}${cosignatureOf(witnessed)}`.replace('AABkGFDL', 'AABkGFDM')), { code: 'signature_invalid' })
  const another = await checkpointOf(4)
  t.throws(() => read(`${another}${cosignatureOf(witnessed)}`), { code: 'signature_invalid' })
})

test('a later checkpoint goes on from the one that was kept, or it does not', async (t) => {
  const read = async (size: number, root?: Uint8Array) => readCheckpoint(await checkpointOf(size, root), logKey, verifyIdentity).checkpoint
  const kept = await read(3)
  const later = await read(4)
  const proof = await consistencyProof(3, 4, nodes)
  t.true(isConsistent(kept, later, proof))
  t.true(isConsistent(later, kept, proof))
  t.true(isConsistent(kept, kept, []))
  t.false(isConsistent(kept, later, []))
  t.false(isConsistent(kept, await read(4, rootOf(2)), proof))
  t.false(isConsistent(kept, await read(3, rootOf(2)), []))
  t.false(isConsistent(kept, { ...later, origin: 'another' }, proof))
})
