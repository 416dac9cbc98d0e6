import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Scheme } from '../threshold/scheme.ts'
import { encodeFields } from './fields.ts'

/**
 * What a party says in the first round of a signature: commitments to nonces that it has drawn and holds. It is bound to a key, and to nothing else yet: neither a
 * message nor other signers. The party signs it, because others carry it, and keep it until it is wanted.
 */
export type Opening = {
  /** Random; the party finds its nonces by it. */
  id: Uint8Array
  partyId: string
  keyId: string
  epoch: number
  broadcast: Uint8Array
  /** Milliseconds since 1970, by the clock of the party; the nonces are gone then. */
  expiresAt: number
  /** Over `openingBytes`. */
  signature: Uint8Array
}

/** The key that openings are for, in one epoch. */
export type OpenedKey = { scheme: Scheme; publicKey: Uint8Array; keyId: string; epoch: number }

/** Whether a party of this deployment has signed the message. Never throws. */
export type VerifyParty = (partyId: string, message: Uint8Array, signature: Uint8Array) => boolean

export const OPENING_ID_BYTES = 16

/** What a party signs when it hands out an opening. */
export function openingBytes({ scheme, publicKey }: OpenedKey, { id, partyId, keyId, epoch, broadcast, expiresAt }: Unsigned): Uint8Array {
  return encodeFields('quorate opening', scheme, publicKey, keyId, epoch, partyId, id, broadcast, expiresAt)
}
type Unsigned = Omit<Opening, 'signature'>

/** Whether the opening is for this key, has not expired (`now` in milliseconds), and is what the party said whose name it bears. */
export function isGenuine(opening: Opening, key: OpenedKey, verify: VerifyParty, now: number): boolean {
  return (
    opening.keyId === key.keyId &&
    opening.epoch === key.epoch &&
    opening.expiresAt > now &&
    verify(opening.partyId, openingBytes(key, opening), opening.signature)
  )
}

/**
 * SHA-256 over what somebody took a signature to be of, and its first round, in whatever order the openings came. Signers that were told different things come to
 * different digests.
 */
export function signingTranscript(openings: readonly Opening[], { path, message }: { path: string; message: Uint8Array }): Uint8Array {
  const inOrder = openings.toSorted((a, b) => (bytesToHex(a.id) < bytesToHex(b.id) ? -1 : 1))
  const said = inOrder.flatMap(({ partyId, id, broadcast }) => [partyId, id, broadcast])
  return sha256(encodeFields('quorate signing transcript', path, message, ...said))
}

export const TRANSCRIPT_BYTES = 32
