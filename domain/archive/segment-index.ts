/**
 * Where in a segment the events of each wallet, and of each stream, are. Text: a sorted line for each, with the first 12 hex digits of the SHA-256 of the
 * stream's name (a wallet goes by that of its own) and the rows, from 0, each but the first as its distance from the one before. Two names may have the same
 * digits: whoever finds an event by it looks whether it is one of those that were sought.
 */
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Sha256 } from '../audit/merkle-tree.ts'
import { walletStream } from '../wallet/events.ts'

const NAME_BYTES = 6

export type SegmentIndex = {
  /** The event of the next row: its stream, and the wallet that its data name. */
  add(stream: string, walletId: string | undefined): void
  text(): string
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
    text() {
      const lines = [...rowsOf].map(
        ([name, rows]) => `${nameHash(name, sha256)} ${rows.map((at, i) => at - (rows[i - 1] ?? 0)).join(' ')}\n`,
      )
      return lines.sort().join('')
    },
  }
}

/** Rows of events that may be of the stream or, where it is the stream of a wallet, of the wallet; in their order. */
export function rowsIn(index: string, stream: string, sha256: Sha256): readonly number[] {
  const begin = `\n${nameHash(stream, sha256)} `
  const text = `\n${index}`
  const rows: number[] = []
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + 1)) {
    let row = 0
    for (const distance of text.slice(at + begin.length, text.indexOf('\n', at + 1)).split(' ')) {
      row += Number(distance)
      rows.push(row)
    }
  }
  return rows.sort((one, other) => one - other)
}

const nameHash = (name: string, sha256: Sha256) => bytesToHex(sha256(utf8ToBytes(name)).subarray(0, NAME_BYTES))
