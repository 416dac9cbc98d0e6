import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { encodeFields } from '../domain/ceremony/fields.ts'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'
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
}

export type StoredShare = { record: ShareRecord; sealed: Uint8Array }

const VERSION = 1

/** What a share is sealed along with: it opens for nobody else, no other key, epoch or attempt, and in no other company. */
export function associatedData(record: ShareRecord): Uint8Array {
  const { partyId, keyId, epoch, attempt, scheme, publicKey, threshold, parties } = record
  return encodeFields('quorate share', partyId, keyId, epoch, attempt, scheme, publicKey, threshold, ...parties)
}

/** The file of a share: what is public beside the sealed bytes, in JSON. */
export function encodeStoredShare({ record, sealed }: StoredShare): Uint8Array {
  const { publicKey, publicPackage } = record
  const hex = { publicKey: bytesToHex(publicKey), publicPackage: bytesToHex(publicPackage), sealed: bytesToHex(sealed) }
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
    const [publicKey, publicPackage, sealed] = [file.publicKey, file.publicPackage, file.sealed].map((hex) => hexToBytes(hex))
    return {
      record: { partyId, keyId, attempt, epoch, scheme, threshold, parties, publicKey: publicKey!, publicPackage: publicPackage! },
      sealed: sealed!,
    }
  } catch {
    return undefined
  }
}

const isId = (value: unknown) => typeof value === 'string' && ID_PATTERN.test(value)
