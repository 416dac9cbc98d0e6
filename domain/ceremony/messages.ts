import type { Authorisation } from '../key-share/events.ts'
import type { Scheme } from '../threshold/scheme.ts'
import type { Opening } from './opening.ts'

/** What the parties are brought together for. */
export const CEREMONY_KINDS = ['key-generation', 'signing', 'revocation', 'opening'] as const
export type CeremonyKind = (typeof CEREMONY_KINDS)[number]

/** One attempt at one ceremony. Its id is that of the signing session, or else of the key. */
export type CeremonyAttempt = { scheme: Scheme; kind: CeremonyKind; ceremonyId: string; attempt: number }

/** Where a message belongs, on every message. Rounds count from 1; a reply has the round of its request. */
export type Header = CeremonyAttempt & { round: number; from: string; to: string }

/**
 * What a party says to everybody in a round. In the first round it names the key that others seal to for the length of the ceremony;
 * from the second on it says what it heard in the first, as a digest, so that nobody can have been told something else unnoticed.
 */
export type Statement = { broadcast: Uint8Array; sealingKey: Uint8Array | null; transcript: Uint8Array | null }

/** What a party is told: what each participant said in the round before, and what was sealed to it, by sender. */
export type Heard = {
  statements: readonly { from: string; statement: Statement }[]
  secrets: readonly { from: string; sealed: Uint8Array }[]
}

/** The share that is to sign: of which key and epoch, made by which attempt. The party's own record must say the same. */
export type ShareReference = { keyId: string; epoch: number; attempt: number; publicKey: Uint8Array }

export type KeyRequest = { keyId: string; threshold: number; parties: readonly string[]; authorisation: Authorisation }

/** What is signed is in the authorisation, where the client put it; `path` must be the one that is found there. Who has opened signs. */
export type SigningRequest = {
  share: ShareReference
  path: string
  openings: readonly Opening[]
  authorisation: Authorisation
  approvals: readonly Authorisation[]
}

export type CeremonyRequest =
  /** First round of a key generation. */
  | { type: 'generateKey'; key: KeyRequest }
  /** So many openings are wanted, for signatures now or later: neither a message nor signers are needed yet. */
  | { type: 'open'; share: ShareReference; count: number }
  /** Openings that nothing will come of any more. */
  | { type: 'abandon'; openings: readonly Uint8Array[] }
  /** First round of a signature, for which all signers have opened before. */
  | { type: 'sign'; task: SigningRequest }
  /** Any other round. */
  | { type: 'proceed'; heard: Heard }
  /** The key is revoked: its shares are to be destroyed, and it is to be refused for ever after. */
  | { type: 'destroyShares'; keyId: string }

export const REFUSAL_CODES = [
  'unknown_key',
  'key_revoked',
  'share_mismatch',
  'share_unreadable',
  'share_exists',
  'too_many_shares',
  'unknown_ceremony',
  'round_out_of_order',
  'conflicting_request',
  'opening_unknown',
  'opening_invalid',
  'signed_otherwise',
  'slot_taken',
  'intent_reused',
  'protocol_abort',
  'vault_unavailable',
  'busy',
  'malformed',
  'internal',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

export type Refused = { type: 'refused'; code: RefusalCode; reason: string; culprits: readonly string[] }

export type CeremonyReply =
  | { type: 'said'; statement: Statement; secrets: readonly { to: string; sealed: Uint8Array }[] }
  /** The share is sealed and on disk. */
  | { type: 'generated'; publicKey: Uint8Array; publicPackage: Uint8Array }
  | { type: 'opened'; openings: readonly Opening[] }
  | { type: 'abandoned' }
  /** `transcript` is that of what the contribution was made of. */
  | { type: 'contributed'; contribution: Uint8Array; transcript: Uint8Array }
  | { type: 'destroyed' }
  | Refused

/** Longest broadcast or sealed secret, in bytes. */
export const MAX_PIECE_BYTES = 64 * 1024

/** Most openings asked for, or abandoned, at once. */
export const MAX_OPENINGS = 16

/** An id that may stand in a subject or name a file. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
