/**
 * SoftSpokenOT (Roy, ePrint 2022/192) with k = 1, where it is the extension of figure 10 of ePrint 2015/546 as corrected in 2022; the challenge
 * of its consistency check is hashed from what has been sent, as DKLs23 (ePrint 2023/765) has it, so that the receiver sends one message and
 * the sender none. A larger k would send 1/k of the rows for 2^k/k of the work, and needs trees of seeds that are set up and checked; with 1
 * there are none, and what is sent here is a seventh of what a multiplication sends.
 *
 * Bob, the receiver, expands both seeds of each base transfer to a row, and sends the sum of the two and of his choice bits. Alice, the
 * sender, has one of the two, and gets from it and from what is sent a row that differs from Bob's first by the choice bits where her own bit is 1. Read by
 * columns: for each transfer Bob has t, and Alice has q = t + choice * offset, where the offset is the column of her own bits.
 */
import { timingSafeEqual } from 'node:crypto'
import { concatBytes } from '@noble/hashes/utils.js'
import { ProtocolAbort, type RandomBytes } from '../../protocol.ts'
import { draw } from '../../shared-key/key-suite.ts'
import { ask, askAll } from '../hashing.ts'
import { COMPUTATIONAL_SECURITY, TRANSFERS } from '../parameters.ts'
import { addRow, bitOf, rowOf, transpose } from './bit-matrix.ts'
import { CHALLENGE_BYTES, HASH_BYTES, ROW_BYTES, rowHash } from './consistency-check.ts'
import { type ReceiverSeeds, SEED_BYTES, type SenderSeeds } from './seeds.ts'

/** Bytes of the receiver's choices, one bit for each transfer. */
export const CHOICES_BYTES = TRANSFERS / 8

/** Bytes of what either side has for one transfer. */
export const COLUMN_BYTES = COMPUTATIONAL_SECURITY / 8

const ROWS = COMPUTATIONAL_SECURITY
const NONCE_BYTES = 32
const DIGEST_BYTES = 32
const CORRECTIONS_AT = NONCE_BYTES
const HASH_AT = CORRECTIONS_AT + ROWS * ROW_BYTES
const DIGEST_AT = HASH_AT + HASH_BYTES

/** Nonce, corrections of the rows, hash of the choices, digest of the hashes of the rows. */
export const EXTENSION_MESSAGE_BYTES = DIGEST_AT + DIGEST_BYTES

/**
 * Bob's side: what he sends, and his columns. Both depend on a nonce of his own: the same session a second time, though it must not be, would
 * otherwise tell Alice in which of his choices the two differ.
 */
export function extendAsReceiver(options: {
  readonly sid: Uint8Array
  readonly seeds: ReceiverSeeds
  readonly choices: Uint8Array
  readonly rng: RandomBytes
}): { message: Uint8Array; columns: Uint8Array } {
  const { sid, seeds, choices, rng } = options
  const nonce = draw(rng, NONCE_BYTES)
  const session = sessionOf(sid, nonce)
  const mask = draw(rng, HASH_BYTES)
  const masked = concatBytes(choices, mask)
  const rows = expand(session, seeds.zeros)
  const corrections = expand(session, seeds.ones)
  for (let i = 0; i < ROWS; i++) {
    const correction = rowOf(corrections, i, ROW_BYTES)
    addRow(correction, rowOf(rows, i, ROW_BYTES), 1)
    addRow(correction, masked, 1)
  }
  const hash = rowHash(challengeOf(session, corrections))
  const hashes = concatBytes(...Array.from({ length: ROWS }, (_, i) => hash(rowOf(rows, i, ROW_BYTES))))
  const message = concatBytes(nonce, corrections, hash(masked), digestOf(session, hashes))
  const columns = transpose(rows, ROW_BYTES, TRANSFERS)
  for (const secret of [mask, masked, rows, hashes]) secret.fill(0)
  return { message, columns }
}

/**
 * Alice's side: her columns. Her offset are the choice bits of her seeds. Whoever sends rows with different choices has to guess her bits of
 * these rows, and is found out when one guess is wrong; so a failure tells something of her bits, and the seeds must not be used again.
 * @throws ProtocolAbort `invalid_message`, `invalid_multiplication`
 */
export function extendAsSender({ sid, seeds }: { readonly sid: Uint8Array; readonly seeds: SenderSeeds }, message: Uint8Array): Uint8Array {
  if (message.length !== EXTENSION_MESSAGE_BYTES) throw new ProtocolAbort('invalid_message', 'a transfer extension of the wrong length')
  const session = sessionOf(sid, message.subarray(0, NONCE_BYTES))
  const corrections = message.subarray(CORRECTIONS_AT, HASH_AT)
  const rows = expand(session, seeds.chosen)
  const hash = rowHash(challengeOf(session, corrections))
  const hashes = new Uint8Array(ROWS * HASH_BYTES)
  for (let i = 0; i < ROWS; i++) {
    const row = rowOf(rows, i, ROW_BYTES)
    const bit = bitOf(seeds.choices, i)
    addRow(row, rowOf(corrections, i, ROW_BYTES), bit)
    const expected = rowOf(hashes, i, HASH_BYTES)
    expected.set(hash(row))
    addRow(expected, message.subarray(HASH_AT, DIGEST_AT), bit)
  }
  const consistent = timingSafeEqual(digestOf(session, hashes), message.subarray(DIGEST_AT))
  const columns = transpose(rows, ROW_BYTES, TRANSFERS)
  for (const secret of [rows, hashes]) secret.fill(0)
  if (consistent) return columns
  columns.fill(0)
  throw new ProtocolAbort('invalid_multiplication', 'the rows of a transfer extension do not have the same choices')
}

const sessionOf = (sid: Uint8Array, nonce: Uint8Array) => ask('extension/session', 32, sid, nonce)

const challengeOf = (session: Uint8Array, corrections: Uint8Array) => ask('extension/challenge', CHALLENGE_BYTES, session, corrections)

const digestOf = (session: Uint8Array, hashes: Uint8Array) => ask('extension/response', DIGEST_BYTES, session, hashes)

/** A row for each seed. */
const expand = (session: Uint8Array, seeds: Uint8Array) => askAll('extension/row', ROW_BYTES, seeds, SEED_BYTES, session)
