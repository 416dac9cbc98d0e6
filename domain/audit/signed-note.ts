/** Signed notes as C2SP specifies them (c2sp.org/signed-note): a text, and under it lines of signatures by keys that are told apart by name and id. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Identity, VerifyIdentity } from '../ports/identity.ts'
import { base64ToBytes, bytesToBase64 } from './base64.ts'

/** What a key signs: the note's text (`ed25519`), or that a witness has seen it at a time (`cosignature`, c2sp.org/tlog-cosignature). */
export type SignatureKind = 'ed25519' | 'cosignature'

/** A public key that notes are verified with, which others write as a vkey. */
export type NoteKey = { readonly name: string; readonly kind: SignatureKind; readonly publicKey: Uint8Array }

/** `keyId` is 8 hex digits; what the bytes are is for the kind of the key to say. */
export type NoteSignature = { readonly name: string; readonly keyId: string; readonly bytes: Uint8Array }

/** `text` ends with a newline. */
export type SignedNote = { readonly text: string; readonly signatures: readonly NoteSignature[] }

export type NoteErrorCode = 'note_malformed' | 'key_malformed' | 'signature_missing' | 'signature_invalid'

/** A note, or a key, that is not what it must be. */
export class NoteRefused extends Error {
  override readonly name = 'NoteRefused'
  constructor(
    readonly code: NoteErrorCode,
    message: string,
  ) {
    super(message)
  }
}

const KIND_BYTES = { ed25519: 1, cosignature: 4 } as const
const KEY_ID_BYTES = 4
const PUBLIC_KEY_BYTES = 32
const MAX_NOTE_LENGTH = 64 * 1024
const MAX_SIGNATURES = 64
const NAME = /^[^\s+\p{Cc}]+$/u
/** Control characters but for the newline, and halves of surrogate pairs, which UTF-8 does not have. */
const FORBIDDEN = /(?!\n)[\p{Cc}\p{Cs}]/u
const SIGNATURE_LINE = /^— ([^ ]+) ([^ ]+)$/

/** First 4 bytes of SHA-256 over name, newline, kind and public key, in hex. */
export function keyIdOf({ name, kind, publicKey }: NoteKey): string {
  const hashed = sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(KIND_BYTES[kind]), publicKey))
  return bytesToHex(hashed.subarray(0, KEY_ID_BYTES))
}

/** `<name>+<key id>+<base64 of kind and public key>`. */
export function vkeyOf(key: NoteKey): string {
  return `${key.name}+${keyIdOf(key)}+${bytesToBase64(concatBytes(Uint8Array.of(KIND_BYTES[key.kind]), key.publicKey))}`
}

/** @throws NoteRefused `key_malformed` */
export function readVkey(vkey: string): NoteKey {
  const malformed = (reason: string) => new NoteRefused('key_malformed', `the key is not a vkey: ${reason}`)
  const [name = '', keyId, ...rest] = vkey.split('+')
  const encoded = base64ToBytes(rest.join('+'))
  if (!NAME.test(name) || keyId === undefined || !encoded) throw malformed('it must be <name>+<key id>+<base64>')
  const kind = (Object.keys(KIND_BYTES) as SignatureKind[]).find((known) => KIND_BYTES[known] === encoded[0])
  if (kind === undefined) throw malformed('it is for signatures of a kind that is not known here')
  if (encoded.length !== 1 + PUBLIC_KEY_BYTES) throw malformed('an Ed25519 key has 32 bytes')
  const key = { name, kind, publicKey: encoded.subarray(1) }
  if (keyIdOf(key) !== keyId) throw malformed('its key id is that of another key')
  return key
}

/** @throws NoteRefused `note_malformed` */
export function readNote(note: string): SignedNote {
  const malformed = (reason: string) => new NoteRefused('note_malformed', `the text is not a signed note: ${reason}`)
  if (note.length > MAX_NOTE_LENGTH) throw malformed(`it is longer than ${MAX_NOTE_LENGTH} characters`)
  if (FORBIDDEN.test(note)) throw malformed('it holds control characters, or is not Unicode')
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) throw malformed('there is no blank line before the signatures, or no newline at the end')
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw malformed(`it has more than ${MAX_SIGNATURES} signatures`)
  const signatures = lines.map((line) => {
    const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? []
    const bytes = base64ToBytes(encoded)
    if (!NAME.test(name) || !bytes || bytes.length <= KEY_ID_BYTES) throw malformed('a line below the blank one is not a signature')
    return { name, keyId: bytesToHex(bytes.subarray(0, KEY_ID_BYTES)), bytes: bytes.subarray(KEY_ID_BYTES) }
  })
  return { text: note.slice(0, end + 1), signatures }
}

export function writeNote({ text, signatures }: SignedNote): string {
  const lines = signatures.map(({ name, keyId, bytes }) => `— ${name} ${bytesToBase64(concatBytes(hexToBytes(keyId), bytes))}\n`)
  return `${text}\n${lines.join('')}`
}

/** The text, signed under the name of the identity. @throws Unavailable as the identity does */
export async function signNote(text: string, identity: Identity): Promise<SignedNote> {
  const key: NoteKey = { name: identity.id, kind: 'ed25519', publicKey: identity.publicKey }
  return { text, signatures: [{ name: key.name, keyId: keyIdOf(key), bytes: await identity.sign(utf8ToBytes(text)) }] }
}

/** Every signature of the key must hold, and there must be one; those of other keys are not looked at. @throws NoteRefused `signature_missing`, `signature_invalid` */
export function requireSignature(note: SignedNote, key: NoteKey, verify: VerifyIdentity): void {
  const message = utf8ToBytes(note.text)
  if (!signaturesOf(note, key).every(({ bytes }) => verify(key.publicKey, message, bytes)))
    throw new NoteRefused('signature_invalid', `the signature of ${key.name} does not hold: the note was changed, or is forged`)
}

/** At least one. @throws NoteRefused `signature_missing` */
export function signaturesOf({ signatures }: SignedNote, key: NoteKey): readonly NoteSignature[] {
  const keyId = keyIdOf(key)
  const found = signatures.filter((signature) => signature.name === key.name && signature.keyId === keyId)
  if (found.length === 0) throw new NoteRefused('signature_missing', `the note is not signed by ${key.name} with the key that was given`)
  return found
}
