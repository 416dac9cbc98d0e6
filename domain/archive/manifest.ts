/** What is said of a segment of the archive, and signed: which events it holds, where it stands in the tree of the log, and which segment it follows. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base64ToBytes, bytesToBase64 } from '../audit/base64.ts'
import { type Frontier, growTree, HASH_BYTES, type Hash, isSame } from '../audit/merkle-tree.ts'
import { type NoteKey, NoteRefused, readNote, requireSignature, type SignedNote, signNote, writeNote } from '../audit/signed-note.ts'
import { canonicalJson } from '../json/canonical-json.ts'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import type { Identity, VerifyIdentity } from '../ports/identity.ts'

export type StoredFile = { readonly name: string; readonly bytes: number; readonly sha256: Hash }

export type Manifest = {
  /** Counts the segments, from 0. */
  readonly number: number
  /** SHA-256 of the text of the manifest before; undefined for the first. */
  readonly previous: Hash | undefined
  /** Index in the tree of the first event, and how many there are. */
  readonly first: number
  readonly count: number
  readonly segment: StoredFile
  /** The hashes of the leaves, 32 bytes each: by them it is found which event is not what it was. */
  readonly leaves: StoredFile
  /** Where in the segment the events of a wallet or a stream are. Segments archived before there was one have none. */
  readonly index?: StoredFile
  /** Root of the tree (RFC 6962) of the segment's events alone. */
  readonly root: Hash
  /** The tree of the log up to the last of them. */
  readonly tree: Frontier
  readonly treeRoot: Hash
  /** Of the first and the last event, in the log that they were read from. */
  readonly positions: readonly [string, string]
  readonly times: readonly [string, string]
  /** Where the next segment goes on, in whatever log. */
  readonly last: { readonly stream: string; readonly revision: string; readonly id: string }
  /** Checkpoints (signed notes) of trees that end in this segment. */
  readonly checkpoints: readonly string[]
}

export const MANIFESTS = 'manifests/'
export const SEGMENTS = 'segments/'
/** Of the segments' events, beside them: who reads all files of `segments/` as a table finds no others there. */
export const LEAVES = 'leaves/'
export const INDEXES = 'indexes/'
/** Where all files of segments are. */
export const SEGMENT_FOLDERS = [SEGMENTS, LEAVES, INDEXES] as const
const FORMAT = 'quorate-archive/1'
const DIGITS = 8
const MAX_STORED = 4 * 1024 * 1024
/** Checkpoints in a manifest: a segment that more would end in is closed. */
export const MAX_CHECKPOINTS = 1_000

/** The files of a segment. */
export const filesOf = ({ segment, leaves, index }: Manifest): readonly StoredFile[] => [segment, leaves, ...(index ? [index] : [])]

export const manifestName = (number: number): string => `${MANIFESTS}${String(number).padStart(DIGITS, '0')}.json`

/** A manifest as it is stored, and the hash by which the next one names it. */
export type SignedManifest = { readonly text: string; readonly hash: Hash }

/** JSON: the manifest, and the signature under its canonical form as a note. @throws Unavailable as the identity does */
export async function signManifest(manifest: Manifest, identity: Identity): Promise<SignedManifest> {
  const body = plain(manifest)
  const text = textOf(body)
  return { text: storedAs(body, await signNote(text, identity)), hash: sha256(utf8ToBytes(text)) }
}

function storedAs(body: unknown, note: SignedNote): string {
  const signature = writeNote(note).slice(note.text.length + 1, -1)
  return `${JSON.stringify({ manifest: body, signature }, null, 1)}\n`
}

/** @throws NoteRefused */
export function readManifest(stored: string, key: NoteKey, verify: VerifyIdentity): { manifest: Manifest; hash: Hash } {
  const { body, text, signature } = signedIn(stored)
  // Read as a note of its own: the text may be longer than a note that comes from anywhere.
  const { signatures } = readNote(`manifest\n\n${signature}\n`)
  requireSignature({ text, signatures }, key, verify)
  // What is between the signed words is signed by nobody.
  if (storedAs(body, { text, signatures }) !== stored) throw malformed('it is not laid out as it was written')
  const manifest = manifestIn(body)
  if (!manifest || textOf(plain(manifest)) !== text) throw malformed('it is not of this version')
  return { manifest, hash: sha256(utf8ToBytes(text)) }
}

/** @throws NoteRefused */
function signedIn(stored: string): { body: unknown; text: string; signature: string } {
  if (stored.length > MAX_STORED) throw malformed(`it is longer than ${MAX_STORED} characters`)
  try {
    const { manifest: body, signature } = readFields(parseStrictJson(stored), ['manifest', 'signature'])
    return { body, text: textOf(body), signature: String(signature) }
  } catch (error) {
    // Somebody may have nested it as deep as the stack.
    if (error instanceof MalformedJson || error instanceof RangeError) throw malformed(error.message)
    throw error
  }
}

const malformed = (reason: string) => new NoteRefused('note_malformed', `the manifest cannot be read: ${reason}`)

/** The tree with these leaves added. */
export function grown(before: Frontier, leaves: Iterable<Hash>, hash?: (message: Uint8Array) => Hash): { tree: Frontier; root: Hash } {
  const tree = growTree(before, hash)
  for (const leaf of leaves) tree.append(leaf)
  return { tree: tree.frontier(), root: tree.root() }
}

export const isSameTree = (one: Frontier, other: Frontier): boolean =>
  one.size === other.size && one.peaks.length === other.peaks.length && one.peaks.every((peak, index) => isSame(peak, other.peaks[index]!))

const textOf = (body: unknown) => `${canonicalJson(body)}\n`

function plain({ previous, segment, leaves, index, root, tree, treeRoot, ...manifest }: Manifest) {
  const file = ({ sha256: digest, ...rest }: StoredFile) => ({ ...rest, sha256: bytesToBase64(digest) })
  return {
    format: FORMAT,
    ...manifest,
    previous: previous === undefined ? null : bytesToBase64(previous),
    segment: file(segment),
    leaves: file(leaves),
    ...(index && { index: file(index) }),
    root: bytesToBase64(root),
    tree: { size: tree.size, peaks: tree.peaks.map(bytesToBase64) },
    treeRoot: bytesToBase64(treeRoot),
  }
}

/** It is signed: what is looked at is only whether it is of this version. */
function manifestIn(body: unknown): Manifest | undefined {
  const { format, previous, segment, leaves, index, root, tree, treeRoot, ...rest } = body as ReturnType<typeof plain>
  if (format !== FORMAT) return undefined
  const file = ({ sha256: digest, ...others }: ReturnType<typeof plain>['segment']) => ({ ...others, sha256: hashIn(digest) })
  return {
    ...rest,
    previous: previous === null ? undefined : hashIn(previous),
    segment: file(segment),
    leaves: file(leaves),
    ...(index && { index: file(index) }),
    root: hashIn(root),
    tree: { size: tree.size, peaks: tree.peaks.map(hashIn) },
    treeRoot: hashIn(treeRoot),
  }
}

function hashIn(text: string): Hash {
  const bytes = base64ToBytes(text)
  if (bytes?.length !== HASH_BYTES) throw new NoteRefused('note_malformed', 'the manifest holds what is no hash')
  return bytes
}
