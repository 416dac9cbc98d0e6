import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { encodeFields, type Field } from '../fields.ts'
import type { Identity } from '../ports/identity.ts'
import type { Scheme } from '../threshold/scheme.ts'
import { hasSaid, signSaying, type Witness } from './sayings.ts'

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
  /** The party's, over all of it and the key. */
  signature: Uint8Array
}

/** The key that openings are for, in one epoch. */
export type OpenedKey = { scheme: Scheme; publicKey: Uint8Array; keyId: string; epoch: number }

export const OPENING_ID_BYTES = 16

type Unsigned = Omit<Opening, 'signature'>

const SAYING = 'opening'
const fieldsOf = ({ scheme, publicKey }: OpenedKey, { id, keyId, epoch, broadcast, expiresAt }: Unsigned): readonly Field[] => [
  scheme,
  publicKey,
  keyId,
  epoch,
  id,
  broadcast,
  expiresAt,
]

/** The opening as its party hands it out. @throws Unavailable */
export async function signOpening(identity: Identity, key: OpenedKey, opening: Omit<Unsigned, 'partyId'>): Promise<Opening> {
  const unsigned = { ...opening, partyId: identity.id }
  return { ...unsigned, signature: await signSaying(identity, SAYING, ...fieldsOf(key, unsigned)) }
}

/** Whether the opening is for this key, has not expired (`now` in milliseconds), and is what the party said whose name it bears. */
export function isGenuine(opening: Opening, key: OpenedKey, witness: Witness, now: number): boolean {
  return (
    opening.keyId === key.keyId &&
    opening.epoch === key.epoch &&
    opening.expiresAt > now &&
    hasSaid(witness, opening.partyId, opening.signature, SAYING, ...fieldsOf(key, opening))
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

/** The same for signers who have opened together, each of whom has come to the same broadcast. */
export function jointSigningTranscript(
  signers: readonly string[],
  { path, message, broadcast }: { path: string; message: Uint8Array; broadcast: Uint8Array },
): Uint8Array {
  return sha256(encodeFields('quorate joint signing transcript', path, message, broadcast, ...signers))
}

export const TRANSCRIPT_BYTES = 32
