import type { EventLog } from '../../../domain/ports/event-log.ts'

/** Up to where deposits are written down: of all wallets but those that had no room, which have places of their own so that nobody else waits for them. */
export type Progress = { cursor: string | null; behind: { readonly [walletId: string]: string } }

export type ProgressStore = {
  /** The newest that is known here, unless another coordinator has stored something since. */
  read(): Promise<Progress>
  /** What another coordinator has written meanwhile may be further on: then nothing is stored. */
  advance(before: Progress, now: Progress): Promise<void>
}

const PROGRESS_VERSION = 1
const NOWHERE: Progress = { cursor: null, behind: {} }
/** A chain has a block every second or faster, each of which would be an event in the log. After a crash some are looked through once more. */
const STORE_EVERY_MS = 30_000

/** In the store's place for snapshots: all coordinators go on from the same place. */
export function openProgress(log: Pick<EventLog, 'readSnapshot' | 'writeSnapshot'>, chain: string): ProgressStore {
  const name = `deposits-${chain}`
  const readStored = async () => storedProgress(await log.readSnapshot(name))
  let storedAt = Number.NEGATIVE_INFINITY
  let ahead: { of: Progress; progress: Progress } | undefined

  return {
    async read() {
      const stored = await readStored()
      return ahead && isSame(ahead.of, stored) ? ahead.progress : stored
    },

    async advance(before, now) {
      if (isSame(now, before)) return
      const stored = await readStored()
      if (!isSame(stored, ahead && isSame(ahead.progress, before) ? ahead.of : before)) return
      const isDue = stored.cursor === null || !isSameBehind(stored, now) || Date.now() - storedAt >= STORE_EVERY_MS
      if (isDue) {
        await log.writeSnapshot(name, { version: PROGRESS_VERSION, ...now })
        storedAt = Date.now()
      }
      ahead = isDue ? undefined : { of: stored, progress: now }
    },
  }
}

const isSame = (one: Progress, other: Progress) => one.cursor === other.cursor && isSameBehind(one, other)

function isSameBehind({ behind: one }: Progress, { behind: other }: Progress): boolean {
  const wallets = Object.keys(one)
  return wallets.length === Object.keys(other).length && wallets.every((walletId) => one[walletId] === other[walletId])
}

/** Nowhere when there is none, or none that this version understands: it begins at the newest block. */
function storedProgress(stored: unknown): Progress {
  const { version, cursor, behind = {} } = (stored ?? {}) as { version?: unknown; cursor?: unknown; behind?: Progress['behind'] }
  return version === PROGRESS_VERSION && typeof cursor === 'string' ? { cursor, behind } : NOWHERE
}
