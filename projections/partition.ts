import { PARTITIONS } from '../domain/ports/projections.ts'

/** FNV-1a over UTF-16 code units, then the finaliser of MurmurHash3, so that every bit depends on all of the text. Stable for ever. */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The partition that a document belongs to, or whoever else has a name. */
export const partitionOf = (id: string): number => hash(id) % PARTITIONS
