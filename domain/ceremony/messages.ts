import { AUTHORISATION_CODES } from '../authorisation/refused.ts'
import type { Authorisation } from '../key-share/events.ts'
import type { Scheme } from '../threshold/scheme.ts'
import type { Opening } from './opening.ts'

/** What the parties are brought together for. */
export const CEREMONY_KINDS = [
  'key-generation',
  'opening',
  'signing',
  'refresh',
  'refresh-completion',
  'recovery',
  'revocation',
  'policy-change',
] as const
export type CeremonyKind = (typeof CEREMONY_KINDS)[number]

/** One attempt at one ceremony. Its id is that of the signing session, or else of the key; an opening by all signers has one of its own. */
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

/**
 * The share that is to be used: of which key and epoch, made by which attempt at its generation or refresh. All shares of one attempt go
 * together, and with no others. The party's own record must say the same.
 */
export type ShareReference = { keyId: string; epoch: number; attempt: number; publicKey: Uint8Array }

/** `policy` is what is to be sealed with the shares, encoded. */
export type KeyRequest = {
  keyId: string
  threshold: number
  parties: readonly string[]
  authorisation: Authorisation
  policy: Uint8Array
}

/** What all holders know alike of the shares of one attempt. */
export type SharedKey = ShareReference & {
  threshold: number
  parties: readonly string[]
  publicPackage: Uint8Array
  policy: Uint8Array
}

/** A holder has lost its share, and these others, as many as sign, are to make it again for it. */
export type RecoveryRequest = { key: SharedKey; lost: string; helpers: readonly string[]; authorisation: Authorisation }

/** A holder's signed word that it keeps its share of a new epoch until a later one is in force. */
export type Confirmation = { from: string; signature: Uint8Array }

/**
 * The transaction that a signature is a part of: message `index` of those that it takes. `replacement` is the client's request to have it in place of another one of the
 * same transfer.
 */
export type TransactionToSign = {
  chain: string
  transferId: string
  unsigned: Uint8Array
  index: number
  replacement: Authorisation | null
}

/**
 * What is signed is in the authorisation, where the client put it; `path` must be the one that is found there. For a transfer it is the transaction, which must do what the
 * authorisation says. Who has opened signs.
 */
export type SigningRequest = {
  share: ShareReference
  path: string
  openings: readonly Opening[]
  authorisation: Authorisation
  approvals: readonly Authorisation[]
  transaction: TransactionToSign | null
}

/** The same, of signers who have not opened yet: they do it together, and then sign. */
export type JointSigningRequest = Omit<SigningRequest, 'openings'> & { signers: readonly string[] }

/** The change that makes this version of the key's policy. `approvals` are intents by approvers over the same request as the authorisation. */
export type PolicyChange = { keyId: string; version: number; authorisation: Authorisation; approvals: readonly string[] }

export type CeremonyRequest =
  /** First round of a key generation. */
  | { type: 'generateKey'; key: KeyRequest }
  /** So many openings are wanted, for signatures now or later: neither a message nor signers are needed yet. */
  | { type: 'open'; share: ShareReference; count: number }
  /** Openings that nothing will come of any more. */
  | { type: 'abandon'; openings: readonly Uint8Array[] }
  /** First round of a signature, for which all signers have opened before. */
  | { type: 'sign'; task: SigningRequest }
  /** First round of an opening for later, by these signers together. */
  | { type: 'presign'; share: ShareReference; signers: readonly string[] }
  /** First round of a signature by signers who open together. */
  | { type: 'signTogether'; task: JointSigningRequest }
  /** First round of a refresh: from these shares those of the next epoch are made. */
  | { type: 'refreshKey'; share: ShareReference; authorisation: Authorisation }
  /** The new share is in force: it is not to be discarded any more. */
  | { type: 'confirmRefresh'; share: ShareReference }
  /** Every holder has confirmed its share: those of earlier epochs are to be destroyed. */
  | { type: 'completeRefresh'; share: ShareReference; confirmations: readonly Confirmation[] }
  /** The attempt that made this share has come to nothing. */
  | { type: 'discardRefresh'; share: ShareReference }
  /** First round of the recovery of a share. */
  | { type: 'recoverShare'; recovery: RecoveryRequest }
  /** Any other round. */
  | { type: 'proceed'; heard: Heard }
  /** The key is revoked: its shares are to be destroyed, and it is to be refused for ever after. */
  | { type: 'destroyShares'; keyId: string; authorisation: Authorisation }
  /** The key is to be used under another policy from now on. */
  | { type: 'changePolicy'; change: PolicyChange }

export const REFUSAL_CODES = [
  'unknown_key',
  'key_revoked',
  'share_mismatch',
  'share_unreadable',
  'share_exists',
  'share_replaced',
  'share_confirmed',
  'refresh_unconfirmed',
  'not_a_holder',
  'too_few_helpers',
  'too_many_shares',
  'unknown_ceremony',
  'round_out_of_order',
  'conflicting_request',
  'opening_unknown',
  'opening_invalid',
  'intent_reused',
  'protocol_abort',
  /** A multiplication with the counterparty that is named does not check; it is banned from now on. */
  'invalid_multiplication',
  /** This party uses the key with that counterparty no more, until an operator lifts it. */
  'counterparty_banned',
  /** The share holds nothing for signing with that counterparty, until it is refreshed. */
  'setup_missing',
  /** What is asked for contradicts what this party has signed, or allowed, before. */
  'signed_already',
  /** The party may have signed what its store does not have; until an operator lifts that it signs nothing. */
  'fenced',
  /** The bytes are no transaction that may be signed for the account, or not one that is wholly understood. */
  'transaction_refused',
  /** The transaction does something else than the client has asked for. */
  'transaction_mismatch',
  /** It may cost more than client, policy or chain allow. */
  'fee_too_high',
  /** The policy wants more signers for it than were chosen. */
  'too_few_signers',
  /** The time has not passed that the policy wants to pass before it is signed. */
  'time_locked',
  'carrier_forged',
  'unknown_sender',
  'signature_invalid',
  /** The request was made too long ago, or has been kept: somebody plays it again. */
  'request_stale',
  'vault_unavailable',
  'busy',
  'malformed',
  'internal',
  ...AUTHORISATION_CODES,
  'policy_out_of_order',
  /** The key came under another policy while the request was worked on; asked again, it is judged by that one. */
  'policy_changed',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

export type Refused = { type: 'refused'; code: RefusalCode; reason: string; culprits: readonly string[] }

export type CeremonyReply =
  | { type: 'said'; statement: Statement; secrets: readonly ({ to: string } & Secret)[] }
  /** The party's share of this key is sealed and on disk; the digest is that of the policy it is sealed with. */
  | { type: 'generated'; publicKey: Uint8Array; publicPackage: Uint8Array; policyDigest: Uint8Array }
  | { type: 'opened'; openings: readonly Opening[] }
  | { type: 'abandoned' }
  /** `transcript` is that of what the contribution was made of; `broadcast` what the signer has opened with, where that has not been told before. */
  | { type: 'contributed'; contribution: Uint8Array; transcript: Uint8Array; broadcast: Uint8Array | null }
  | { type: 'destroyed' }
  | { type: 'confirmed'; signature: Uint8Array }
  /** Shares of earlier epochs are gone. */
  | { type: 'completed' }
  /** This version of the policy is sealed with every share of the key, or a later one is. */
  | { type: 'policyChanged'; version: number }
  | Refused

/** Longest broadcast or sealed secret, in bytes. */
export const MAX_PIECE_BYTES = 64 * 1024

/** Most openings asked for, or abandoned, at once. */
export const MAX_OPENINGS = 16

/** An id that may stand in a subject or name a file. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
