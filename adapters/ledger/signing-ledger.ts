import { Unavailable } from '../../domain/ports/event-log.ts'
import { ClaimRefused, type SigningLedger } from '../../domain/ports/signing-ledger.ts'
import { answerIn, headOf, recordClaim, recordOperation } from './claims.ts'
import { groupCommits } from './commit-groups.ts'
import { LedgerCorrupt } from './corrupt.ts'
import { openLedgerFile, type Place } from './ledger-file.ts'
import { dropOld } from './retention.ts'
import { historyOf } from './transactions.ts'
import { BEGINNING, verifyAfter } from './verification.ts'

export type LedgerOptions = {
  file: string
  /** Told of damage that is found once the ledger is open; from then on it refuses everything. */
  onCorrupt?: (error: LedgerCorrupt) => void
  /** Days after which claims that spend nothing may be forgotten. What allowed them must have expired long before. */
  retentionDays?: number
  now?: () => number
}

/** Verified before the ledger is used; the rest is verified while it is. */
const TAIL = 2_000
/** Together 1,000 entries a second, in steps of some milliseconds. */
const ROUND_ENTRIES = 100
const ROUND_EVERY_MS = 100
const AGAIN_AFTER_MS = 60_000
const DAY_MS = 24 * 60 * 60 * 1000
const RETENTION_DAYS = 90

/**
 * A ledger in an SQLite file, which other processes may work on at the same time. Entries are chained by their hashes. The newest 2,000 are verified here,
 * in some tenths of a second, and all of them in the background, now and once a day, when old ones are dropped as well.
 * @throws LedgerCorrupt, Unavailable
 */
export function openSigningLedger(options: LedgerOptions): SigningLedger {
  const { onCorrupt = () => {}, retentionDays = RETENTION_DAYS, now = Date.now } = options
  const file = openLedgerFile(options.file)
  const refusals = { signed_otherwise: 0, slot_taken: 0, intent_reused: 0, limit_exceeded: 0 }
  let damage: LedgerCorrupt | undefined
  let open = true

  const guarded = <Result>(work: () => Result): Result => {
    if (damage) throw damage
    if (!open) throw new Unavailable('ledger')
    try {
      return work()
    } catch (error) {
      if (error instanceof LedgerCorrupt) damage = error
      throw error
    }
  }
  const commits = groupCommits(
    (work) => guarded(() => file.transaction(work)),
    (error) => error instanceof ClaimRefused,
  )
  const counted = async <Result>(work: () => Result): Promise<Result> => {
    try {
      return await commits.add(work)
    } catch (error) {
      if (error instanceof ClaimRefused) refusals[error.code]++
      throw error
    }
  }

  /** Verifies some entries, drops the old ones among them, and returns where to go on; undefined at the end. */
  const keepUp = (place: Place): Place | undefined =>
    guarded(() =>
      file.transaction(() => {
        const rows = verifyAfter(file, place, ROUND_ENTRIES)
        dropOld(file, place, rows, now() - retentionDays * DAY_MS)
        return rows.at(-1)
      }),
    )
  let round: NodeJS.Timeout | undefined
  const keepUpFrom = (place: Place, afterMs: number) => {
    round = setTimeout(() => {
      try {
        const next = keepUp(place)
        keepUpFrom(next ?? BEGINNING, next ? ROUND_EVERY_MS : DAY_MS)
      } catch (error) {
        if (error instanceof LedgerCorrupt) onCorrupt(error)
        else keepUpFrom(place, AGAIN_AFTER_MS)
      }
    }, afterMs).unref()
  }

  try {
    const { sequence } = file.head()
    const trusted = sequence > TAIL ? file.covering(sequence - TAIL) : undefined
    verifyAfter(file, trusted ?? BEGINNING, TAIL)
  } catch (error) {
    file.close()
    throw error
  }
  keepUpFrom(BEGINNING, ROUND_EVERY_MS)

  return {
    head: () => guarded(() => headOf(file)),
    answered: (keyId, sessionId, attempt) =>
      guarded(() => {
        const made = answerIn(file, keyId, sessionId, attempt)
        return made && { requestDigest: made.requestDigest, answer: made.answer }
      }),
    history: (transfer, windowMs) => guarded(() => historyOf(file, transfer, windowMs, now())),
    claim: (claim, limits) =>
      counted(() => {
        recordClaim(file, claim, now(), limits)
        return headOf(file)
      }),
    spend: (intents, operation) => counted(() => recordOperation(file, intents, operation, now())),
    refusals: () => ({ ...refusals }),
    async close() {
      if (!open) return
      clearTimeout(round)
      commits.flush()
      open = false
      file.close()
    },
  }
}
