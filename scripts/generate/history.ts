import { AUDITED_STREAMS } from '../../domain/audit/canonical-event.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { predestined } from '../bench/workload/fate.ts'
import { type Step, walletLife } from '../bench/workload/wallet-life.ts'

export type HistoryOptions = { readonly events: number; readonly seed: string; onProgress?(events: number): void }

/** Wallets that live at the same time. */
const AT_A_TIME = 64
/** Appends that are under way at once; the store takes them in the order in which they are sent. */
const UNDER_WAY = 64
const PROGRESS_EVERY = 10_000
/** History ends where it was made up, so that it is the same on every day. Some 1 million events take half a year. */
const BEGINS = Date.parse('2026-01-01T00:00:00.000Z')
const STEP_MS = 16_000

/**
 * Appends exactly so many events to a log that has none: the lives of wallets, one step of each in turn. @throws Error when there are events already
 */
export async function generateHistory(
  log: Pick<EventLog, 'append' | 'lastPosition'>,
  { events, seed, onProgress = () => {} }: HistoryOptions,
): Promise<{ wallets: number }> {
  if ((await log.lastPosition(AUDITED_STREAMS)) !== undefined)
    throw new Error('the event store has events already: a history is made up in an empty one')
  const fate = predestined(seed, BEGINS, STEP_MS)
  const underWay: Promise<unknown>[] = []
  let wallets = 0
  let sent = 0
  for (const step of turns(() => walletLife(wallets++, fate))) {
    const taken = step.events.slice(0, events - sent)
    if (underWay.length >= UNDER_WAY) await underWay.shift()
    const appended = log.append(step.stream, step.expected, taken)
    appended.catch(() => {})
    underWay.push(appended)
    if (Math.floor((sent + taken.length) / PROGRESS_EVERY) > Math.floor(sent / PROGRESS_EVERY)) onProgress(sent + taken.length)
    sent += taken.length
    if (sent === events) break
  }
  await Promise.all(underWay)
  return { wallets }
}

/** The next step of each life in turn; where one has ended the next begins. */
function* turns(begin: () => Generator<Step>): Generator<Step> {
  const lives = Array.from({ length: AT_A_TIME }, begin)
  for (let turn = 0; ; turn++) {
    const place = turn % AT_A_TIME
    let next = lives[place]!.next()
    while (next.done) {
      lives[place] = begin()
      next = lives[place].next()
    }
    yield next.value
  }
}
