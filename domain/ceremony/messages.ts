import type { Authorisation } from '../key-share/events.ts'
import type { Scheme } from '../threshold/scheme.ts'

/** What the parties are brought together for. */
export const CEREMONY_KINDS = ['key-generation', 'signing', 'revocation'] as const
export type CeremonyKind = (typeof CEREMONY_KINDS)[number]

/** One attempt at one ceremony. Its id is that of the key or of the signing session. */
export type CeremonyAttempt = { scheme: Scheme; kind: CeremonyKind; ceremonyId: string; attempt: number }

/** Where a message belongs, on every message. Rounds count from 1; a reply has the round of its request. */
export type Header = CeremonyAttempt & { round: number; from: string; to: string }

/**
 * What a party says to everybody in a round, signed by itself. In the first round it names the key that others seal to for the length of the
 * ceremony. `transcript` is the digest of what it takes part in, and from the second round on of what it heard in the first, so that nobody can
 * have been told something else unnoticed.
 */
export type Statement = { broadcast: Uint8Array; sealingKey: Uint8Array | null; transcript: Uint8Array; signature: Uint8Array }

/** What a party says to one other: sealed to that one, and signed. */
export type Secret = { sealed: Uint8Array; signature: Uint8Array }

/** What a party is told: what each participant said in the round before, and what was sealed to it, by sender. */
export type Heard = {
  statements: readonly { from: string; statement: Statement }[]
  secrets: readonly ({ from: string } & Secret)[]
}

/** The share that is to sign: of which key, made by which attempt at its generation. The party's own record must say the same. */
export type ShareReference = { keyId: string; attempt: number; publicKey: Uint8Array }

export type KeyRequest = { keyId: string; threshold: number; parties: readonly string[]; authorisation: Authorisation }

export type SigningRequest = { message: Uint8Array; signers: readonly string[]; authorisation: Authorisation }

export type CeremonyRequest =
  /** First round of a key generation. */
  | { type: 'generateKey'; key: KeyRequest }
  /** First round of a signature: neither the message nor the signers are needed yet. */
  | { type: 'openSigning'; share: ShareReference }
  /** Second round of a signature. */
  | { type: 'sign'; task: SigningRequest; heard: Heard }
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
  'protocol_abort',
  /** What is asked for contradicts what this party has signed, or allowed, before. */
  'signed_already',
  /** The party may have signed what its store does not have; until an operator lifts that it signs nothing. */
  'fenced',
  'carrier_forged',
  'unknown_sender',
  'signature_invalid',
  'vault_unavailable',
  'busy',
  'malformed',
  'internal',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

export type Refused = { type: 'refused'; code: RefusalCode; reason: string; culprits: readonly string[] }

export type CeremonyReply =
  | { type: 'said'; statement: Statement; secrets: readonly ({ to: string } & Secret)[] }
  /** The share is sealed and on disk. */
  | { type: 'generated'; publicKey: Uint8Array; publicPackage: Uint8Array }
  | { type: 'contributed'; contribution: Uint8Array }
  | { type: 'destroyed' }
  | Refused

/** Longest message that can be signed, and longest broadcast or sealed secret, in bytes. */
export const MAX_MESSAGE_BYTES = 256 * 1024
export const MAX_PIECE_BYTES = 64 * 1024

/** An id that may stand in a subject or name a file. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
