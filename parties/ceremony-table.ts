import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { Refusal, refused } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { Ceremony } from './ceremony.ts'

export type CeremonyTableOptions = {
  begin(asked: Asked): Promise<Ceremony>
  /** What to answer to what went wrong. */
  refusalOf(error: unknown): Refusal
  /** Most ceremonies under way; more are refused as `busy`. */
  maxOpen?: number
  /** Most ceremonies that are over and of which the answers are still known. */
  maxRemembered?: number
  /** How long a ceremony may take, and how long its answers are known after it is over. */
  expireAfterMs?: number
}

export interface CeremonyTable {
  readonly open: number
  answer(asked: Asked): Promise<CeremonyReply>
  /** Forgets everything. */
  close(): void
}

type Answer = { digest: Uint8Array; reply: Promise<CeremonyReply> }

/** `ceremony` is undefined before it has begun and after it is over. */
type Entry = {
  key: string
  ceremony: Ceremony | undefined
  over: boolean
  working: boolean
  answers: Answer[]
  expiry: NodeJS.Timeout | undefined
}

const MAX_OPEN = 1_024
const MAX_REMEMBERED = 4_096
const EXPIRE_AFTER_MS = 60_000

/**
 * Ceremonies under way, in memory only: a restart ends them all. Each round is worked on once, in order; asked again in the same words it is answered the
 * same, in other words it is refused. A ceremony that was refused a round is over. One that nobody goes on with is wiped.
 */
export function createCeremonyTable(options: CeremonyTableOptions): CeremonyTable {
  const { begin, refusalOf, maxOpen = MAX_OPEN, maxRemembered = MAX_REMEMBERED, expireAfterMs = EXPIRE_AFTER_MS } = options
  const entries = new Map<string, Entry>()
  const remembered = new Set<Entry>()

  const forget = (entry: Entry) => {
    clearTimeout(entry.expiry)
    entry.ceremony?.destroy()
    entry.ceremony = undefined
    entry.over = true
    entries.delete(entry.key)
    remembered.delete(entry)
  }
  const expireLater = (entry: Entry) => {
    clearTimeout(entry.expiry)
    entry.expiry = setTimeout(() => forget(entry), expireAfterMs).unref()
  }
  const end = (entry: Entry) => {
    entry.ceremony?.destroy()
    entry.ceremony = undefined
    if (entry.over) return
    entry.over = true
    remembered.add(entry)
    const [oldest] = remembered
    if (oldest && remembered.size > maxRemembered) forget(oldest)
    else expireLater(entry)
  }

  const enter = (key: string): Entry => {
    if (entries.size - remembered.size >= maxOpen) throw new Refusal('busy', 'too many ceremonies are under way')
    const entry: Entry = { key, ceremony: undefined, over: false, working: false, answers: [], expiry: undefined }
    entries.set(key, entry)
    expireLater(entry)
    return entry
  }

  /** Nothing has come of a first round that was refused: it may be asked again. */
  const open = async (entry: Entry, asked: Asked): Promise<CeremonyReply> => {
    try {
      const ceremony = await begin(asked)
      if (entry.over) {
        ceremony.destroy()
        throw new Refusal('unknown_ceremony', 'the ceremony has expired')
      }
      entry.ceremony = ceremony
      return ceremony.opening
    } catch (error) {
      forget(entry)
      return refused(refusalOf(error))
    }
  }

  const advance = async (entry: Entry, asked: Asked): Promise<CeremonyReply> => {
    try {
      const { reply, done } = await entry.ceremony!.next(asked.request, asked.digest)
      if (done) end(entry)
      return reply
    } catch (error) {
      end(entry)
      return refused(refusalOf(error))
    }
  }

  const take = (asked: Asked): Promise<CeremonyReply> => {
    const { header, digest } = asked
    const { scheme, kind, ceremonyId, attempt, round } = header
    const key = [scheme, kind, ceremonyId, attempt].join('/')
    const known = entries.get(key)
    if (!known && round !== 1) throw new Refusal('unknown_ceremony', 'no such ceremony is under way')
    const entry = known ?? enter(key)
    const earlier = entry.answers[round - 1]
    if (earlier) {
      if (Buffer.compare(earlier.digest, digest) !== 0) throw new Refusal('conflicting_request', 'this round was asked for in other words')
      return earlier.reply
    }
    if (round !== entry.answers.length + 1 || entry.working)
      throw new Refusal('round_out_of_order', `round ${entry.answers.length + 1} is next`)
    if (entry.over) throw new Refusal('unknown_ceremony', 'the ceremony is over')
    entry.working = true
    const reply = (round === 1 ? open(entry, asked) : advance(entry, asked)).finally(() => {
      entry.working = false
    })
    entry.answers.push({ digest, reply })
    return reply
  }

  return {
    get open() {
      return entries.size - remembered.size
    },
    async answer(asked) {
      try {
        return await take(asked)
      } catch (error) {
        return refused(refusalOf(error))
      }
    },
    close() {
      for (const entry of [...entries.values()]) forget(entry)
    },
  }
}
