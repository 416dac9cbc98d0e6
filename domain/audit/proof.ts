/**
 * Proofs as they are handed out, each with all that it takes to check it offline: an event that is in the log (`inclusion`), or two checkpoints of one log
 * that has only grown (`consistency`).
 */
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import type { VerifyIdentity } from '../ports/identity.ts'
import { base64ToBytes, bytesToBase64 } from './base64.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { HASH_BYTES, type Hash, leafHash, verifyConsistency, verifyInclusion } from './merkle-tree.ts'
import { type NoteKey, NoteRefused } from './signed-note.ts'

/** `leaf` is the canonical text of the event, `checkpoint` a signed note, and `hashes` are in base64. */
export type InclusionProof = {
  readonly kind: 'inclusion'
  readonly leaf: string
  readonly index: number
  readonly hashes: readonly string[]
  readonly checkpoint: string
}

/** `from` and `to` are signed notes, `from` of the smaller tree. */
export type ConsistencyProof = {
  readonly kind: 'consistency'
  readonly from: string
  readonly to: string
  readonly hashes: readonly string[]
}

export type Proof = InclusionProof | ConsistencyProof

export type ProofErrorCode =
  /** It is not what a proof looks like. */
  | 'proof_malformed'
  /** A note in it is not signed by the log. */
  | 'checkpoint_invalid'
  /** The event is not in the tree at this place, or the hashes are not those of the tree. */
  | 'inclusion_invalid'
  /** The trees are not of one log that has only grown, or the hashes do not show it. */
  | 'consistency_invalid'

/** Why a proof proves nothing. */
export class ProofRefused extends Error {
  override readonly name = 'ProofRefused'
  constructor(
    readonly code: ProofErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

const INCLUSION_FIELDS = ['kind', 'leaf', 'index', 'hashes', 'checkpoint']
const CONSISTENCY_FIELDS = ['kind', 'from', 'to', 'hashes']
/** A tree of more leaves than there are safe integers has no more. */
const MAX_HASHES = 64

/** @throws ProofRefused `proof_malformed` */
export function readProof(text: string): Proof {
  try {
    const value = parseStrictJson(text)
    const { kind } = (value ?? {}) as { kind?: unknown }
    const fields = readFields(value, kind === 'consistency' ? CONSISTENCY_FIELDS : INCLUSION_FIELDS)
    const malformed = Object.keys(fields).find((name) => !isFieldOf(name, fields[name]))
    if (malformed !== undefined) throw new MalformedJson(`${malformed} is not what it must be`)
    return fields as Proof
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw new ProofRefused('proof_malformed', `this is not a proof: ${error.message}`, { cause: error })
  }
}

/** Checks an inclusion proof; returns the checkpoint that the event is in. @throws ProofRefused */
export function verifyInclusionProof(proof: InclusionProof, key: NoteKey, verify: VerifyIdentity): Checkpoint {
  const { leaf, index, hashes } = proof
  const checkpoint = signedBy(proof.checkpoint, key, verify)
  const inclusion = { leaf: leafHash(utf8ToBytes(leaf)), index, size: checkpoint.size, proof: hashes.map(hashIn), root: checkpoint.root }
  if (!verifyInclusion(inclusion))
    throw new ProofRefused(
      'inclusion_invalid',
      `the event is not leaf ${index} of the ${checkpoint.size} that were signed at ${checkpoint.time}: the event, its place or a hash was changed`,
    )
  return checkpoint
}

/** Checks a consistency proof; returns both checkpoints. @throws ProofRefused */
export function verifyConsistencyProof(
  proof: ConsistencyProof,
  key: NoteKey,
  verify: VerifyIdentity,
): { from: Checkpoint; to: Checkpoint } {
  const from = signedBy(proof.from, key, verify)
  const to = signedBy(proof.to, key, verify)
  if (!verifyConsistency({ from, to, proof: proof.hashes.map(hashIn) }))
    throw new ProofRefused(
      'consistency_invalid',
      `the log of ${to.size} events does not go on from the one of ${from.size}: events were changed, dropped or inserted, or a hash was changed`,
    )
  return { from, to }
}

export const hashesOf = (proof: readonly Hash[]): string[] => proof.map(bytesToBase64)

function signedBy(note: string, key: NoteKey, verify: VerifyIdentity): Checkpoint {
  try {
    return readCheckpoint(note, key, verify).checkpoint
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error
    throw new ProofRefused('checkpoint_invalid', error.message, { cause: error })
  }
}

function isFieldOf(name: string, value: unknown): boolean {
  if (name === 'kind') return value === 'inclusion' || value === 'consistency'
  if (name === 'index') return Number.isSafeInteger(value) && (value as number) >= 0
  if (name === 'hashes') return Array.isArray(value) && value.length <= MAX_HASHES && value.every(isHash)
  return typeof value === 'string'
}

const isHash = (value: unknown) => typeof value === 'string' && base64ToBytes(value)?.length === HASH_BYTES

const hashIn = (text: string): Hash => base64ToBytes(text) ?? new Uint8Array()
