/** Checkpoints of the log's Merkle tree as C2SP specifies them (c2sp.org/tlog-checkpoint), each of which says which one it goes on from. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import type { Identity, VerifyIdentity } from '../ports/identity.ts'
import { base64ToBytes, bytesToBase64 } from './base64.ts'
import { HASH_BYTES, type Hash } from './merkle-tree.ts'
import { type NoteKey, NoteRefused, readNote, requireSignature, type SignedNote, signNote, writeNote } from './signed-note.ts'

export type Checkpoint = {
  /** Which log: the name of its key. */
  readonly origin: string
  /** Leaves of the tree. */
  readonly size: number
  readonly root: Hash
  /** SHA-256 of the text of the checkpoint before it; undefined for the first. */
  readonly previous: Hash | undefined
  /** When it was made, RFC 3339 UTC. */
  readonly time: string
}

const SIZE = /^(?:0|[1-9]\d{0,15})$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Three lines that every reader of checkpoints knows, and two of our own below them. */
export function checkpointText({ origin, size, root, previous, time }: Checkpoint): string {
  const chain = previous === undefined ? '' : `previous ${bytesToBase64(previous)}\n`
  return `${origin}\n${size}\n${bytesToBase64(root)}\n${chain}time ${time}\n`
}

/** Only what `checkpointText` writes is read. @throws NoteRefused `note_malformed` */
export function readCheckpointText(text: string): Checkpoint {
  const malformed = (reason: string) => new NoteRefused('note_malformed', `the note is not a checkpoint: ${reason}`)
  const [origin = '', size = '', root = '', ...extension] = text.split('\n')
  const rootHash = hashIn(root)
  const previous = extension[0]?.startsWith('previous ') ? hashIn(extension[0].slice('previous '.length)) : undefined
  const time = extension.at(-2)?.replace(/^time /, '') ?? ''
  if (!SIZE.test(size) || !Number.isSafeInteger(Number(size))) throw malformed('its second line is not the size of a tree')
  if (!rootHash) throw malformed('its third line is not the hash of a root')
  if (!TIME.test(time) || Number.isNaN(Date.parse(time))) throw malformed('its last line is not a time')
  const checkpoint = { origin, size: Number(size), root: rootHash, previous, time }
  if (origin === '' || checkpointText(checkpoint) !== text) throw malformed('its lines are not those of a checkpoint of this log')
  return checkpoint
}

/** What the next checkpoint gives as `previous`; signatures may be added to a note, and it stays the same. */
export const checkpointHash = (text: string): Hash => sha256(utf8ToBytes(text))

/** A checkpoint and the note that it was read from. */
export type SignedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: SignedNote }

/** The note, signed by the log, whose name is the origin. @throws Unavailable as the identity does */
export async function signCheckpoint(checkpoint: Omit<Checkpoint, 'origin'>, identity: Identity): Promise<string> {
  return writeNote(await signNote(checkpointText({ ...checkpoint, origin: identity.id }), identity))
}

/** The checkpoint in a note that the log has signed. @throws NoteRefused */
export function readCheckpoint(note: string, key: NoteKey, verify: VerifyIdentity): SignedCheckpoint {
  const read = readNote(note)
  if (key.kind !== 'ed25519') throw new NoteRefused('key_malformed', 'the key is that of a witness, not of a log')
  requireSignature(read, key, verify)
  const checkpoint = readCheckpointText(read.text)
  if (checkpoint.origin !== key.name)
    throw new NoteRefused('note_malformed', `the checkpoint is of ${checkpoint.origin}, not of ${key.name}`)
  return { checkpoint, note: read }
}

function hashIn(text: string): Hash | undefined {
  const bytes = base64ToBytes(text)
  return bytes?.length === HASH_BYTES ? bytes : undefined
}
