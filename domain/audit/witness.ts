/**
 * A checkpoint that is kept elsewhere, so that nobody who has the log and its key can tell another story later. The file is the checkpoint's signed note
 * itself; a witness may add a line that says when it saw it (c2sp.org/tlog-cosignature, Ed25519).
 */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Identity, VerifyIdentity } from '../ports/identity.ts'
import { type Checkpoint, readCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import { type Hash, verifyConsistency } from './merkle-tree.ts'
import { keyIdOf, type NoteKey, NoteRefused, readNote, signaturesOf, writeNote } from './signed-note.ts'

const TIMESTAMP_BYTES = 8
const SIGNATURE_BYTES = 64

/** The note with one more line: the witness has seen it at that time (POSIX seconds), and nothing that contradicts it. @throws NoteRefused, Unavailable as the identity does */
export async function cosign(note: string, witness: Identity, seconds: number): Promise<string> {
  const { text, signatures } = readNote(note)
  const key: NoteKey = { name: witness.id, kind: 'cosignature', publicKey: witness.publicKey }
  const signature = await witness.sign(cosigned(text, BigInt(seconds)))
  const bytes = concatBytes(timestampBytes(seconds), signature)
  return writeNote({ text, signatures: [...signatures, { name: key.name, keyId: keyIdOf(key), bytes }] })
}

/** A checkpoint that was kept, which the log and each of the witnesses have signed. @throws NoteRefused */
export function readWitnessed(note: string, log: NoteKey, witnesses: readonly NoteKey[], verify: VerifyIdentity): SignedCheckpoint {
  const signed = readCheckpoint(note, log, verify)
  for (const witness of witnesses) {
    if (witness.kind !== 'cosignature') throw new NoteRefused('key_malformed', `the key ${witness.name} is not that of a witness`)
    for (const { bytes } of signaturesOf(signed.note, witness))
      if (!isCosignature(signed.note.text, bytes, witness, verify))
        throw new NoteRefused('signature_invalid', `the cosignature of ${witness.name} does not hold: the note was changed, or is forged`)
  }
  return signed
}

/** Whether both checkpoints are of one tree that has only grown, of which the proof is (empty for checkpoints of the same size). */
export function isConsistent(one: Checkpoint, other: Checkpoint, proof: readonly Hash[]): boolean {
  const [from, to] = one.size <= other.size ? [one, other] : [other, one]
  return from.origin === to.origin && verifyConsistency({ from, to, proof })
}

function isCosignature(text: string, bytes: Uint8Array, { publicKey }: NoteKey, verify: VerifyIdentity): boolean {
  if (bytes.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) return false
  const seconds = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
  return verify(publicKey, cosigned(text, seconds), bytes.subarray(TIMESTAMP_BYTES))
}

const cosigned = (text: string, seconds: bigint) => utf8ToBytes(`cosignature/v1\ntime ${seconds}\n${text}`)

function timestampBytes(seconds: number): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seconds))
  return bytes
}
