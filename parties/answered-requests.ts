import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { type Asked, GOOD_FOR_MS } from '../domain/ports/party-channel.ts'

/** More in a minute than a party can work on; some kilobytes each. */
const MAX_REMEMBERED = 16_384
/** A request may be dated ahead by as much as it may be late. */
const KEEP_MS = 2 * GOOD_FOR_MS

export type AnswerOnce = (asked: Asked, work: () => Promise<CeremonyReply>) => Promise<CeremonyReply>

/**
 * Works on each request once: one that comes again, doubled or recorded on the way, is answered the same for as long as it is not too old to be listened to at all.
 * @throws Refusal `busy` when more were made than can be remembered
 */
export function answeredOnce({ now, max = MAX_REMEMBERED }: { now(): number; max?: number }): AnswerOnce {
  /** In the order in which they came. */
  const answered = new Map<string, { at: number; reply: Promise<CeremonyReply> }>()

  return async (asked, work) => {
    for (const [id, { at }] of answered) {
      if (at > now() - KEEP_MS) break
      answered.delete(id)
    }
    const earlier = answered.get(asked.id)
    if (earlier) return earlier.reply
    if (answered.size >= max) throw new Refusal('busy', 'too many requests have been made of late')
    const reply = work()
    answered.set(asked.id, { at: now(), reply })
    return reply
  }
}
