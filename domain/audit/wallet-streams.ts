/**
 * Which streams are of which wallet, as documents beside the tree: they tell only where to look. A stream is of the wallet that its first event names. How many a
 * wallet has is kept apart from which they are, so that it shows when documents are lost.
 */
import { walletNamedIn } from '../history/selection.ts'
import type { Documents, GuardedWrite } from '../ports/documents.ts'
import type { RecordedEvent } from '../ports/event-log.ts'

const STREAMS = 'audit_streams'
const WALLETS = 'audit_wallets'
const PAGE = 1_000

/** For the leaf of an event. */
export function streamWrites({ stream, revision, data }: Pick<RecordedEvent, 'stream' | 'revision' | 'data'>): GuardedWrite[] {
  const walletId = revision === 0n ? walletNamedIn({ data }) : undefined
  if (walletId === undefined) return []
  return [
    { collection: STREAMS, id: `${walletId}/${stream}`, create: true, set: { stream } },
    { collection: WALLETS, id: walletId, create: true, increment: { streams: 1 } },
  ]
}

/** Undefined when there are more than `most`, or when some of the documents are lost. @throws Unavailable */
export async function streamsOfWallet(
  documents: Pick<Documents, 'get' | 'find'>,
  walletId: string,
  most: number,
): Promise<readonly string[] | undefined> {
  const expected = Number((await documents.get(WALLETS, walletId))?.streams ?? 0)
  if (expected > most) return undefined
  const streams: string[] = []
  const prefix = `${walletId}/`
  for (let beyond = prefix; ; ) {
    // What is beyond is of other wallets.
    const limit = Math.min(PAGE, expected + 1 - streams.length)
    const page = await documents.find(STREAMS, { where: {}, by: '_id', direction: 'asc', beyond, limit })
    const found = page.filter(({ _id }) => _id.startsWith(prefix))
    streams.push(...found.map(({ stream }) => String(stream)))
    const last = found.at(-1)
    if (!last || found.length < limit || streams.length > expected) break
    beyond = last._id
  }
  // More than are counted were added meanwhile; but where none are counted and some are there, the count is lost.
  return streams.length < expected || (expected === 0 && streams.length > 0) ? undefined : streams
}
