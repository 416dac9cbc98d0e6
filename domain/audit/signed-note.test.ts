import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { type NoteKey, readNote, readVkey, requireSignature, signNote, vkeyOf, writeNote } from './signed-note.ts'

/** Of the documentation of golang.org/x/mod/sumdb/note. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const SAID = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const SIGNED = `${SAID}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`
const CHECKPOINT = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`

test('a note that another implementation has signed is read, and written as it was', (t) => {
  const key = readVkey(PETER)
  t.is(vkeyOf(key), PETER)
  const note = readNote(SIGNED)
  t.is(note.text, SAID)
  t.notThrows(() => requireSignature(note, key, verifyIdentity))
  for (const text of [SIGNED, CHECKPOINT]) t.is(writeNote(readNote(text)), text)
  t.is(bytesToHex(readNote(CHECKPOINT).signatures[1]!.bytes.subarray(0, 8)), '00000000641850cb')
})

test('a note whose text was changed, or that somebody else has signed under the name, is refused', async (t) => {
  const log = newIdentity('log.example/1')
  const key: NoteKey = { name: log.id, kind: 'ed25519', publicKey: log.publicKey }
  const note = await signNote('a\n\nb\n', log)
  t.notThrows(() => requireSignature(readNote(writeNote(note)), key, verifyIdentity))
  t.throws(() => requireSignature({ ...note, text: 'a\n\nc\n' }, key, verifyIdentity), { code: 'signature_invalid' })
  const other = newIdentity(log.id)
  const forged = await signNote(note.text, other)
  t.throws(() => requireSignature(forged, key, verifyIdentity), { code: 'signature_missing' })
  const posing = { text: note.text, signatures: [{ ...forged.signatures[0]!, keyId: note.signatures[0]!.keyId }] }
  t.throws(() => requireSignature(posing, key, verifyIdentity), { code: 'signature_invalid' })
  t.throws(() => requireSignature({ ...note, signatures: [...note.signatures, ...posing.signatures] }, key, verifyIdentity), {
    code: 'signature_invalid',
  })
  t.notThrows(() => requireSignature({ ...note, signatures: [...forged.signatures, ...note.signatures] }, key, verifyIdentity))
})

test('a key says which one it is', (t) => {
  for (const vkey of [
    '',
    'PeterNeumann',
    PETER.replace('c74f20a3', 'c74f20a4'),
    PETER.replace('Peter', 'Paul'),
    PETER.replace('Peter', 'Peter '),
    PETER.slice(0, -1),
    `${PETER}=`,
    PETER.replace('+ARpc', '+AhpC'),
  ])
    t.throws(() => readVkey(vkey), { code: 'key_malformed' }, vkey)
})

test('what is not quite a note is none', (t) => {
  const line = SIGNED.split('\n').at(-2)!
  for (const note of [
    '',
    SAID,
    SIGNED.slice(0, -1),
    SIGNED.replace('\n\n', '\n'),
    SIGNED.replace('— ', '- '),
    SIGNED.replace('— ', '—  '),
    SIGNED.replace('\nthen', '\r\nthen'),
    SIGNED.replace('you', '\ud800'),
    `${SIGNED}\n`,
    `${SIGNED}— PeterNeumann x08goy==\n`,
    `${SIGNED}— PeterNeumann x08gow==\n`,
    `${SIGNED}— Peter+Neumann x08go/ZJkuA=\n`,
    `${SAID}\n${`${line}\n`.repeat(65)}`,
    'a'.repeat(70_000) + SIGNED,
  ])
    t.throws(() => readNote(note), { code: 'note_malformed' }, note.slice(0, 200))
  t.is(readNote(`${SAID}\n${`${line}\n`.repeat(16)}`).signatures.length, 16)
})
