import { bytesToHex } from '@noble/hashes/utils.js'
import { decodePolicy, type KeyPolicy, policyDigest } from '../domain/authorisation/key-policy.ts'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { encodeFields } from '../domain/fields.ts'
import { MalformedJson } from '../domain/json/strict-json.ts'
import { MAX_PARTIES, SCHEMES, type Scheme } from '../domain/threshold/scheme.ts'

/** What is known of a share, all of it public. `parties` are the holders in the order of their numbers, the first being participant 1. */
export type ShareRecord = {
  partyId: string
  keyId: string
  attempt: number
  epoch: number
  scheme: Scheme
  threshold: number
  parties: readonly string[]
  publicKey: Uint8Array
  publicPackage: Uint8Array
  /** What the key may be used for, encoded. */
  policy: Uint8Array
}

/** That of the shares which a key is generated with. */
export const FIRST_EPOCH = 1

export type StoredShare = { record: ShareRecord; sealed: Uint8Array }

const VERSION = 2

/** What a share is sealed along with: it opens for nobody else, no other key, epoch or attempt, in no other company, and under no other policy. */
export function associatedData(record: ShareRecord): Uint8Array {
  const { partyId, keyId, epoch, attempt, scheme, publicKey, threshold, parties, policy } = record
  return encodeFields('quorate share', partyId, keyId, epoch, attempt, scheme, publicKey, threshold, policyDigest(policy), ...parties)
}

/** The policy in a record. It is the one that was sealed only if the share opens. @throws Refusal `share_unreadable` */
export function policyIn({ policy }: ShareRecord): KeyPolicy {
  try {
    return decodePolicy(policy)
  } catch {
    throw new Refusal('share_unreadable', 'the policy of the share is damaged')
  }
}

/** A policy as it comes with a request. @throws Refusal `malformed` */
export function readPolicy(encoded: Uint8Array): KeyPolicy {
  try {
    return decodePolicy(encoded)
  } catch (error) {
    throw error instanceof MalformedJson ? new Refusal('malformed', error.message) : error
  }
}

/** The file of a share: what is public beside the sealed bytes, in JSON. */
export function encodeStoredShare({ record, sealed }: StoredShare): Uint8Array {
  const { publicKey, publicPackage, policy } = record
  const hex = {
    publicKey: bytesToHex(publicKey),
    publicPackage: bytesToHex(publicPackage),
    policy: bytesToHex(policy),
    sealed: bytesToHex(sealed),
  }
  return Buffer.from(`${JSON.stringify({ version: VERSION, ...record, ...hex }, null, 2)}\n`)
}

/** Undefined for anything that `encodeStoredShare` does not write. */
export function decodeStoredShare(bytes: Uint8Array): StoredShare | undefined {
  try {
    const file = JSON.parse(Buffer.from(bytes).toString('utf8'))
    const { version, partyId, keyId, attempt, epoch, scheme, threshold, parties } = file
    const isWhole =
      version === VERSION &&
      [partyId, keyId].every(isId) &&
      [attempt, epoch, threshold].every((number) => Number.isInteger(number) && number >= 1) &&
      SCHEMES.includes(scheme) &&
      Array.isArray(parties) &&
      parties.length <= MAX_PARTIES &&
      parties.every(isId)
    if (!isWhole) return undefined
    const { publicKey, publicPackage, policy, sealed } = file
    return {
      record: {
        partyId,
        keyId,
        attempt,
        epoch,
        scheme,
        threshold,
        parties,
        publicKey: bytesIn(publicKey),
        publicPackage: bytesIn(publicPackage),
        policy: bytesIn(policy),
      },
      sealed: bytesIn(sealed),
    }
  } catch {
    return undefined
  }
}

const isId = (value: unknown) => typeof value === 'string' && ID_PATTERN.test(value)

/** The platform reads the 25,000 digits of a share of DKLs23 in a tenth of the time that JavaScript takes, and takes other characters for some. */
function bytesIn(hex: unknown): Uint8Array {
  const bytes = Buffer.from(String(hex), 'hex')
  if (bytes.toString('hex') !== hex) throw new TypeError('not hexadecimal')
  return new Uint8Array(bytes)
}
