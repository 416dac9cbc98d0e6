import type { Scheme } from '../threshold/scheme.ts'

/** The client's own authorisation of a request, carried unread to the parties, who are the ones to check it. */
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
  | { type: 'KeyRevoked'; data: KeyIdentity & { reason: string } }
  /** What has become of openings made ahead, at one coordinator since it last said so; sums over the parties. */
  | { type: 'PresignaturesCounted'; data: KeyIdentity & { generated: number; consumed: number; expired: number } }

/** Stream of a key and its shares. */
export const keyShareStream = (keyId: string) => `keyShare-${keyId}`
export const KEY_SHARE_STREAMS = 'keyShare-'
