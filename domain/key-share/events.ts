import type { KeyPolicy } from '../authorisation/key-policy.ts'
import type { Personal } from '../personal-data/sealed.ts'
import type { Scheme } from '../threshold/scheme.ts'

/** The client's own authorisation of a request. API and parties check it, each for itself. */
export type Authorisation = { method: string; path: string; body: string; intent: string | null }

/** On every event of a key, so that each can be understood alone. */
export type KeyIdentity = { keyId: string; walletId: string }

/** What is asked for when a key is to be generated. */
export type KeyGenerationRequest = KeyIdentity & {
  tenant: string
  scheme: Scheme
  threshold: number
  parties: readonly string[]
  authorisation: Authorisation
  /** What the parties seal with their shares. */
  policy: KeyPolicy
}

export type KeyShareEvent =
  | { type: 'KeyGenerationRequested'; data: KeyGenerationRequest }
  | { type: 'KeyGenerationStarted'; data: KeyIdentity & { attempt: number } }
  /** SHA-256 of what the party broadcast in the first round. */
  | { type: 'CommitmentReceived'; data: KeyIdentity & { attempt: number; partyId: string; digest: string } }
  /** The party has sealed its share and confirms this public package by its SHA-256. */
  | { type: 'ShareGenerated'; data: KeyIdentity & { attempt: number; partyId: string; packageDigest: string } }
  | {
      type: 'KeyGenerationCompleted'
      data: KeyIdentity & { attempt: number; publicKey: string; publicPackage: string; epoch: number }
    }
  | { type: 'KeyGenerationFailed'; data: KeyIdentity & { code: string; culprits: readonly string[] } }
  /** New shares of the same key are asked for: those of this epoch, the next one. */
  | { type: 'KeyRefreshRequested'; data: KeyIdentity & { epoch: number; authorisation: Personal<Authorisation> } }
  /** `attempt` counts all attempts at all refreshes of the key. */
  | { type: 'KeyRefreshStarted'; data: KeyIdentity & { epoch: number; attempt: number } }
  /** Every holder has sealed its new share: from now on the key signs with those of this epoch. */
  | { type: 'KeyRefreshCompleted'; data: KeyIdentity & { epoch: number; attempt: number; publicPackage: string } }
  | { type: 'KeyRefreshFailed'; data: KeyIdentity & { epoch: number; code: string; culprits: readonly string[] } }
  /** A holder has lost its share, and is to be given it again by others. */
  | { type: 'ShareRecoveryRequested'; data: KeyIdentity & { partyId: string; authorisation: Authorisation } }
  /** `attempt` counts all attempts at all recoveries of the key. */
  | { type: 'ShareRecoveryStarted'; data: KeyIdentity & { attempt: number; partyId: string; helpers: readonly string[] } }
  | { type: 'ShareRecovered'; data: KeyIdentity & { attempt: number; partyId: string; epoch: number } }
  | { type: 'ShareRecoveryFailed'; data: KeyIdentity & { partyId: string; code: string; culprits: readonly string[] } }
  /** `authorisation` is what the parties destroy their shares upon. */
  | { type: 'KeyRevoked'; data: KeyIdentity & { reason: Personal<string>; authorisation: Personal<Authorisation> } }
  /** What has become of openings made ahead, at one coordinator since it last said so; sums over the parties. */
  | { type: 'PresignaturesCounted'; data: KeyIdentity & { generated: number; consumed: number; expired: number } }

/** Stream of a key and its shares. */
export const keyShareStream = (keyId: string) => `keyShare-${keyId}`
export const KEY_SHARE_STREAMS = 'keyShare-'
