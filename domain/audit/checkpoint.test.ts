import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { bytesToBase64 } from './base64.ts'
import { type Checkpoint, checkpointHash, checkpointText, readCheckpoint, readCheckpointText, signCheckpoint } from './checkpoint.ts'
import { emptyRoot } from './merkle-tree.ts'
import { type NoteKey, signNote, writeNote } from './signed-note.ts'

const log = newIdentity('quorate.example/log')
const key: NoteKey = { name: log.id, kind: 'ed25519', publicKey: log.publicKey }
const first: Checkpoint = { origin: log.id, size: 3, root: emptyRoot(), previous: undefined, time: '2026-01-02T03:04:05.678Z' }
const second: Checkpoint = { ...first, size: 20852163, previous: checkpointHash(checkpointText(first)) }

test('a checkpoint is three lines that everybody knows, the one before it, and a time', async (t) => {
  t.is(
    checkpointText(second),
    `quorate.example/log
20852163
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
previous ${bytesToBase64(sha256(utf8ToBytes(checkpointText(first))))}
time 2026-01-02T03:04:05.678Z
`,
  )
  for (const checkpoint of [first, second]) {
    t.deepEqual(readCheckpointText(checkpointText(checkpoint)), checkpoint)
    t.deepEqual(readCheckpoint(await signCheckpoint(checkpoint, log), key, verifyIdentity).checkpoint, checkpoint)
  }
})

test('nothing else is a checkpoint', (t) => {
  const text = checkpointText(second)
  for (const changed of [
    '',
    text.replace('20852163', '020852163'),
    text.replace('20852163', '-1'),
    text.replace('20852163', '9007199254740993'),
    text.replace('47DEQpj8', '47DEQpj'),
    text.replace('quorate.example/log', ''),
    text.replace('previous ', 'previous  '),
    text.replace('time ', 'a line\ntime '),
    text.replace('05.678', '05'),
    text.replace('01-02', '13-42'),
    `${text}\n`,
    text.slice(0, -1),
  ])
    t.throws(() => readCheckpointText(changed), { code: 'note_malformed' }, changed)
})

test('only what the log has signed as its own is a checkpoint of it', async (t) => {
  const forged = await signCheckpoint(first, newIdentity(log.id))
  t.throws(() => readCheckpoint(forged, key, verifyIdentity), { code: 'signature_missing' })
  const ofAnother = writeNote(await signNote(checkpointText({ ...first, origin: 'another' }), log))
  t.throws(() => readCheckpoint(ofAnother, key, verifyIdentity), { code: 'note_malformed' })
  const note = await signCheckpoint(first, log)
  t.throws(() => readCheckpoint(note.replace('\n3\n', '\n4\n'), key, verifyIdentity), { code: 'signature_invalid' })
  t.throws(() => readCheckpoint(note, { ...key, kind: 'cosignature' }, verifyIdentity), { code: 'key_malformed' })
})
