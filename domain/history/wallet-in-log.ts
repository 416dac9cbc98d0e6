import { isAudited } from '../audit/canonical-event.ts'
import { readHead } from '../audit/tree-documents.ts'
import { streamsOfWallet } from '../audit/wallet-streams.ts'
import type { Documents } from '../ports/documents.ts'
import type { EventLog, RecordedEvent } from '../ports/event-log.ts'
import { walletStream } from '../wallet/events.ts'
import { isOfWallet } from './selection.ts'
import { positionIn } from './whereabouts.ts'

export type IndexedLog = {
  /** Events as they are stored. */
  readonly log: Pick<EventLog, 'readStream' | 'readAll'>
  /** Those that the keeper of the tree makes. */
  readonly documents: Pick<Documents, 'get' | 'find'>
}

export type Bounds = { readonly streams: number; readonly tail: number }

/** Streams read at once. */
const AT_ONCE = 32

/**
 * The events of a wallet, in the log's order and in all their streams, of which each is read after the revision that `after` has of it. Streams are found by the
 * index beside the tree, and what the log has beyond it is looked through. The events are the log's own.
 * @returns undefined when the index is missing, is not whole, or is too far behind, or the wallet has too many streams: then nothing but reading the log will do
 * @throws Unavailable
 */
export async function walletInLog(
  { log, documents }: IndexedLog,
  walletId: string,
  { streams: mostStreams, tail }: Bounds,
  after: ReadonlyMap<string, bigint> = new Map(),
): Promise<readonly RecordedEvent[] | undefined> {
  const { last } = (await readHead(documents)) ?? {}
  const head = last && (await positionIn(log, last))
  const indexed = head === undefined ? undefined : await streamsOfWallet(documents, walletId, mostStreams)
  if (head === undefined || !indexed) return undefined
  const own = walletStream(walletId)
  const streams = new Set([own, ...indexed])
  let end = head
  let looked = 0
  for await (const event of log.readAll({ after: head, limit: tail + 1 })) {
    if (++looked > tail) return undefined
    if (isAudited(event) && isOfWallet(event, walletId)) streams.add(event.stream)
    end = event.position
  }
  const events = await eventsOf(log, [...streams], after)
  // The wallet was there before its index was lost.
  if (!indexed.includes(own) && events.some(({ stream, position }) => stream === own && position <= head)) return undefined
  // Whatever comes meanwhile is left out, so that it is the same in all streams.
  return events.filter(({ position }) => position <= end).sort((one, other) => (one.position < other.position ? -1 : 1))
}

async function eventsOf(
  log: Pick<EventLog, 'readStream'>,
  streams: readonly string[],
  after: ReadonlyMap<string, bigint>,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  const read = async (stream: string) => {
    const known = after.get(stream)
    const found: RecordedEvent[] = []
    for await (const event of log.readStream(stream, known === undefined ? {} : { from: known + 1n }))
      if (isAudited(event)) found.push(event)
    return found
  }
  for (let at = 0; at < streams.length; at += AT_ONCE)
    for (const found of await Promise.all(streams.slice(at, at + AT_ONCE).map(read))) events.push(...found)
  return events
}
