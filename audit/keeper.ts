import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AUDITED_STREAMS, isAudited } from '../domain/audit/canonical-event.ts'
import type { Sha256 } from '../domain/audit/merkle-tree.ts'
import { NodeMissing } from '../domain/audit/tiles.ts'
import { type Generation, generationWrites, readGeneration } from '../domain/audit/tree-documents.ts'
import { DocumentMissing, type Documents } from '../domain/ports/documents.ts'
import { type EventLog, type SubscriptionMessage, Unavailable } from '../domain/ports/event-log.ts'
import { type ChainOptions, openChain } from './chain.ts'
import { positionOf } from './leaf-position.ts'
import { type SigningOptions, signTree } from './signing.ts'
import { openTree } from './tree.ts'

export type KeeperOptions = Omit<SigningOptions, 'chain' | 'log'> &
  Omit<ChainOptions, 'log' | 'documents' | 'generation'> & {
    /** Events as they are stored, not as the code knows them. */
    log: Pick<EventLog, 'subscribe' | 'readStream' | 'append' | 'lastPosition'>
    documents: Pick<Documents, 'get' | 'find' | 'apply'>
    sha256: Sha256
    /** A checkpoint is signed when there are so many events that none is of, or some for so long. */
    everyEvents: number
    everyMs: number
    signal: AbortSignal
    /** It goes on all the same. */
    onFailure(error: unknown): void
  }

const MAX_BATCH = 1_000
/** So long what has just happened is gathered: a leaf alone costs as much to store as hundreds together, and is signed later anyway. */
const GATHER_MS = 100
const LOOK_EVERY_MS = 500
const RETRY_AFTER_MS = 500
/** What is wrong otherwise than by being away does not change by asking again soon. */
const RETRY_LATER_AFTER_MS = 30_000

/** The documents were lost while nothing was written to them, or another instance makes them anew. */
class GenerationGone extends Error {
  override readonly name = 'GenerationGone'
}

/**
 * Keeps the tree of the log's events, and signs a checkpoint now and then, until the signal aborts. Whatever goes wrong, it begins again from what is stored.
 * Any number of instances may do so at once: the log's order makes all of them the same tree, and of their checkpoints one at a time is the next.
 */
export async function keepTree(options: KeeperOptions): Promise<void> {
  const { signal, onFailure } = options
  while (!signal.aborted) {
    const ended = new AbortController()
    try {
      await keepUntil(options, AbortSignal.any([signal, ended.signal]), () => ended.abort())
    } catch (error) {
      if (signal.aborted) return
      if (!isLoss(error)) onFailure(error)
      await delay(isPassing(error) ? RETRY_AFTER_MS : RETRY_LATER_AFTER_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** The documents, or some of them, are not there any more: they are made anew. */
const isLoss = (error: unknown) => [DocumentMissing, NodeMissing, GenerationGone].some((loss) => error instanceof loss)
const isPassing = (error: unknown) => error instanceof Unavailable || isLoss(error)

async function keepUntil(options: KeeperOptions, signal: AbortSignal, end: () => void): Promise<void> {
  const { documents } = options
  const generation = (await readGeneration(documents)) ?? (await beginGeneration(documents, 0))
  try {
    await keepGeneration({ ...options, generation }, signal, end)
  } catch (error) {
    if (error instanceof NodeMissing) await beginGeneration(documents, generation.number + 1)
    throw error
  }
}

async function beginGeneration(documents: Pick<Documents, 'get' | 'apply'>, number: number): Promise<Generation> {
  await documents.apply([{ position: BigInt(number), writes: generationWrites({ name: randomUUID() }) }])
  const begun = await readGeneration(documents)
  if (!begun) throw new Unavailable('mongodb')
  return begun
}

async function keepGeneration(options: KeeperOptions & { generation: Generation }, signal: AbortSignal, end: () => void): Promise<void> {
  const { log, documents, generation, everyEvents, everyMs } = options
  const tree = await openTree(options)
  const chain = await openChain(options)
  // For readers, who can tell by them whether the tree is whole.
  await chain.newest()
  let isLive = false
  const follow = async () => {
    const { last } = tree.head()
    const after = last && (await positionOf(log, last))
    for await (const batch of log.subscribe({ after, prefixes: AUDITED_STREAMS, signal, maxBatch: MAX_BATCH })) {
      await tree.append(batch.flatMap(leafIn))
      isLive ||= batch.some(({ kind }) => kind === 'caughtUp')
      if (isLive) await delay(GATHER_MS, undefined, { signal }).catch(() => {})
    }
  }
  const sign = async () => {
    let signedSize = 0
    let signedAt = Number.NEGATIVE_INFINITY
    while (!signal.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
      if ((await readGeneration(documents))?.name !== generation.name) throw new GenerationGone()
      // While it catches up nothing is due: much of it will have been signed already.
      const unsigned = isLive ? tree.head().size - signedSize : 0
      const isDue = unsigned >= everyEvents || (unsigned > 0 && Date.now() - signedAt >= everyMs)
      if (!isDue || signal.aborted) continue
      signedSize = await signTree(tree, { ...options, chain })
      signedAt = Date.now()
    }
  }
  const tasks = [follow(), sign()]
  try {
    await Promise.all(tasks)
  } finally {
    end()
    await Promise.allSettled(tasks)
  }
}

const leafIn = (message: SubscriptionMessage) => (message.kind === 'event' && isAudited(message.event) ? [message.event] : [])
