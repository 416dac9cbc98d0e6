/**
 * Where in a segment the events of each wallet, and of each stream, are. Text: a sorted line for each, with the first 12 hex digits of the SHA-256 of the
 * stream's name (a wallet goes by that of its own) and the rows, from 0, each but the first as its distance from the one before. Two names may have the same
 * digits: whoever finds an event by it looks whether it is one of those that were sought.
 *
 * The last line has the SHA-256 of each block of the segment's file, so that who reads a few rows knows of what he reads, and of no more, that it was signed.
 */
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { bytesToBase64 } from '../audit/base64.ts'
import type { Sha256 } from '../audit/merkle-tree.ts'
import { walletStream } from '../wallet/events.ts'

const NAME_BYTES = 6
const NAME_DIGITS = 2 * NAME_BYTES
/** Comes after all names, whose digits are hex. */
const BLOCKS = 'sha256'
const BLOCK_BYTES = 64 * 1024

/** Hashes, in base64, of the parts of a file, each of so many bytes but for the last, which may have fewer. */
export type BlockHashes = { readonly blockBytes: number; readonly hashes: readonly string[] }

export type SegmentIndex = {
  /** The event of the next row: its stream, and the wallet that its data name. */
  add(stream: string, walletId: string | undefined): void
  /** With the hashes of the file that the rows are in, if that is given. */
  text(segment?: Uint8Array): string
}

export function growSegmentIndex(sha256: Sha256): SegmentIndex {
  const rowsOf = new Map<string, number[]>()
  let row = 0
  const note = (name: string) => {
    const rows = rowsOf.get(name)
    if (rows) rows.push(row)
    else rowsOf.set(name, [row])
  }
  return {
    add(stream, walletId) {
      note(stream)
      if (walletId !== undefined && walletStream(walletId) !== stream) note(walletStream(walletId))
      row++
    },
    text(segment) {
      const lines = [...rowsOf].map(
        ([name, rows]) => `${nameHash(name, sha256)} ${rows.map((at, i) => at - (rows[i - 1] ?? 0)).join(' ')}\n`,
      )
      return `${lines.sort().join('')}${segment ? `${blocksLine(segment, sha256)}\n` : ''}`
    },
  }
}

/**
 * Rows of events that may be of the stream or, where it is the stream of a wallet, of the wallet; in their order. The lines, which are sorted, are bisected: an
 * index has a million bytes, and a log may have many.
 */
export function rowsIn(index: Uint8Array, stream: string, sha256: Sha256): readonly number[] {
  const name = nameHash(stream, sha256)
  const rows: number[] = []
  for (let at = firstLine(index, name); nameAt(index, at) === name; at = lineAfter(index, at)) {
    let row = 0
    for (const distance of asText(index.subarray(at + NAME_DIGITS + 1, lineAfter(index, at) - 1)).split(' ')) {
      row += Number(distance)
      rows.push(row)
    }
  }
  // A stream and a wallet may have the same digits, and an event be of both.
  return [...new Set(rows)].sort((one, other) => one - other)
}

/** Undefined in an index that was made before there were any. */
export function blocksIn(index: Uint8Array): BlockHashes | undefined {
  const [name, blockBytes, ...hashes] = asText(index.subarray(lineOf(index, index.length - 1), -1)).split(' ')
  return name === BLOCKS && Number(blockBytes) > 0 ? { blockBytes: Number(blockBytes), hashes } : undefined
}

/** Where the first line begins whose name is not before this one. */
function firstLine(index: Uint8Array, name: string): number {
  let [low, high] = [0, index.length]
  while (low < high) {
    const at = lineOf(index, (low + high) >> 1)
    if (nameAt(index, at) < name) low = lineAfter(index, at)
    else high = at
  }
  return low
}

const NEWLINE = 10

/** Where the line begins that a byte is in, which may be the newline at its end. */
const lineOf = (index: Uint8Array, byte: number) => (byte < 1 ? 0 : index.lastIndexOf(NEWLINE, byte - 1) + 1)
const lineAfter = (index: Uint8Array, at: number) => index.indexOf(NEWLINE, at) + 1 || index.length
const nameAt = (index: Uint8Array, at: number) => asText(index.subarray(at, at + NAME_DIGITS))
const asText = (ascii: Uint8Array) => new TextDecoder().decode(ascii)

function blocksLine(segment: Uint8Array, sha256: Sha256): string {
  const hashes: string[] = []
  for (let at = 0; at < segment.length; at += BLOCK_BYTES) hashes.push(bytesToBase64(sha256(segment.subarray(at, at + BLOCK_BYTES))))
  return [BLOCKS, BLOCK_BYTES, ...hashes].join(' ')
}

const nameHash = (name: string, sha256: Sha256) => bytesToHex(sha256(utf8ToBytes(name)).subarray(0, NAME_BYTES))
