import type { LedgerHead } from '../../domain/ports/signing-ledger.ts'
import { type LedgerFile, openLedgerFile } from './ledger-file.ts'
import { headAt } from './witness-store.ts'

/** Where a fenced ledger ends, and what its party is known to have signed up to. */
export type Fenced = { head: LedgerHead; witnessed: LedgerHead }

/** Undefined when the party is not fenced. */
export const readFence = (path: string): Fenced | undefined => using(path, fencedOf)

/** Fences the party of a ledger that is a copy where it ends, whatever others have seen of it since; a fence that is there stays. */
export function fenceCopy(path: string): void {
  using(path, (file) => {
    if (file.fence()) return
    const { sequence, hash } = file.head()
    file.putFence(sequence, hash)
  })
}

/**
 * Lifts the fence of a party, whether or not it runs: who and why is an entry of its ledger, with a number above all that was witnessed, so that nobody holds the same
 * against it again. Returns where the ledger ends then; undefined when there is no fence.
 */
export function liftFence(path: string, { by, reason }: { by: string; reason: string }): LedgerHead | undefined {
  return using(path, (file) => {
    const fenced = fencedOf(file)
    if (!fenced) return undefined
    const above = Math.max(Number(fenced.head.sequence), Number(fenced.witnessed.sequence)) + 1
    const place = file.append({ kind: 'lifted', at: Date.now(), by, reason }, above)
    file.insertLift(place.sequence)
    file.deleteFence()
    return headAt(place)
  })
}

function fencedOf(file: LedgerFile): Fenced | undefined {
  const witnessed = file.fence()
  return witnessed && { head: headAt(file.head()), witnessed: headAt(witnessed) }
}

function using<Result>(path: string, work: (file: LedgerFile) => Result): Result {
  const file = openLedgerFile(path)
  try {
    return file.transaction(() => work(file))
  } finally {
    file.close()
  }
}
