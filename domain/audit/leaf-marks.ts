/** Of every so many leaves one that is found by its number: by them it is known whereabouts in the log a moment is, without reading it. */
import type { Document, Documents, GuardedWrite } from '../ports/documents.ts'
import { type LeafOf, readHead } from './tree-documents.ts'

const MARKS = 'audit_marks'
const MARK_EVERY = 256

/** A leaf, and the latest time (in milliseconds since 1970) at which any event up to it was decided: clocks differ, and this one never goes back. */
export type Mark = LeafOf & { readonly latest: number }

/** For the leaf at the index. */
export function markWrites(index: number, { stream, revision, id, latest }: Mark): GuardedWrite[] {
  if ((index + 1) % MARK_EVERY !== 0) return []
  const set = { stream, revision: revision.toString(), id, latest }
  return [{ collection: MARKS, id: String((index + 1) / MARK_EVERY), create: true, set }]
}

/** The last mark that is before something: undefined when none is, or marks are lost. @throws Unavailable */
export async function lastMark(
  documents: Pick<Documents, 'get'>,
  isBefore: (mark: Mark) => boolean | Promise<boolean>,
): Promise<Mark | undefined> {
  const { size } = (await readHead(documents)) ?? { size: 0 }
  let found: Mark | undefined
  let [low, high] = [1, Math.floor(size / MARK_EVERY)]
  while (low <= high) {
    const middle = (low + high) >> 1
    const document = await documents.get(MARKS, String(middle))
    if (!document) return undefined
    const mark = markIn(document)
    if (await isBefore(mark)) {
      found = mark
      low = middle + 1
    } else high = middle - 1
  }
  return found
}

const markIn = ({ stream, revision, id, latest }: Document): Mark => ({
  stream: String(stream),
  revision: BigInt(String(revision)),
  id: String(id),
  latest: Number(latest),
})
