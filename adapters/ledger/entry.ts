import { createHash } from 'node:crypto'
import { decode, encode } from '@msgpack/msgpack'
import type { SigningClaim, TransactionClaim } from '../../domain/ports/signing-ledger.ts'

/** Amounts are decimal strings. Of a transfer's entries the first that moves something alone tells `moves`. */
export type SignedTransaction = Omit<TransactionClaim, 'moves'> & {
  moves: { asset: string; amount: string; usdCents: string | null } | null
}

/** Ledgers of version 1 do not say that there is no transaction. Of those that sign the same one the first has the slots. */
export type SignatureEntry = { kind: 'signature'; at: number } & Omit<SigningClaim, 'transaction'> & {
    transaction?: SignedTransaction | null
  }

/** What is recorded, each with its time in ms since 1970. */
export type Entry =
  | SignatureEntry
  | { kind: 'operation'; at: number; operation: string; intents: readonly string[] }
  /** An operator has lifted the fence: the entries that others have witnessed and this ledger does not have are taken for lost. */
  | { kind: 'lifted'; at: number; by: string; reason: string }

/** Hash that the first entry is chained to. */
export const GENESIS: Uint8Array = new Uint8Array(32)

export const encodeEntry = (entry: Entry): Uint8Array => encode(entry)

/** For content whose hash has been, or will be, verified: nothing else is looked at. */
export const decodeEntry = (content: Uint8Array): Entry => decode(content) as Entry

/** SHA-256 over the hash of the entry before, the numbers that the entry takes up (8 bytes each, big-endian) and its content. */
export function chainHash(previous: Uint8Array, first: number, sequence: number, content: Uint8Array): Uint8Array {
  const place = Buffer.alloc(16)
  place.writeBigUInt64BE(BigInt(first))
  place.writeBigUInt64BE(BigInt(sequence), 8)
  return createHash('sha256').update(previous).update(place).update(content).digest()
}
