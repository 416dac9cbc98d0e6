/** How every query reads: no older than asked, only what belongs to the caller's tenant, and after a wait where one was asked for. */
import type { Document, Find } from '../domain/ports/documents.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import { noSuch, Problem } from '../http/problem.ts'
import { PLATFORM_TENANT, type Principal, type RouteRequest } from '../http/route.ts'
import type { Freshness, Reading } from './freshness.ts'
import type { Stored, StoredDocuments } from './stored-documents.ts'

/** Each has a projection of that name, and a collection of that name in each of its builds. */
export const READ_MODELS = [
  'wallets',
  'accounts',
  'keys',
  'signing_sessions',
  'transfers',
  'balances',
  'wallet_history',
  'parties',
  'webhooks',
] as const
export type ReadModelName = (typeof READ_MODELS)[number]

export type ReadModels = { documents: StoredDocuments; freshness: { readonly [Name in ReadModelName]: Freshness } }

export type ReadRequest = Pick<RouteRequest, 'principal' | 'minPosition' | 'preferWaitSeconds' | 'signal'>

/** One document: of which read model, by which id, and the name of that id in the path. */
export type Sought = { model: ReadModelName; id: string; parameter: string }

/** How far the read model had come at least, and when (ms since the epoch) it was last known to hold everything in the log. */
export type AsOf = Pick<Reading, 'position' | 'currentAt'>

export type Read = { document: Document; asOf: AsOf }
export type ReadList = { found: readonly Document[]; asOf: AsOf }

/** How long a read waits for the position it asked for. */
const POSITION_WAIT_MS = 2_000
/** How long a read waits for a document that may be on its way. */
const APPEARANCE_WAIT_MS = 500
/** A read begins again when meanwhile another build has taken over, or what was awaited has come. */
const ATTEMPTS = 3

/**
 * The document, if it is the caller's to see.
 * @throws Problem `read_model_behind`, or that there is no such thing; Unavailable
 */
export async function readDocument(models: ReadModels, request: ReadRequest, sought: Sought): Promise<Read> {
  const { value, reading } = await readWhole(models, request, sought.model, {
    read: (reading) => models.documents.get(sought.model, reading, sought.id),
    isMissing: (document) => document === undefined,
  })
  if (!value || !mayRead(request.principal, value)) throw noSuch(sought.parameter)
  return { document: value, asOf: asOf(reading) }
}

/**
 * Like `readDocument`, but with `Prefer: wait=N` not before what the document is about has come to an end or the time is up.
 * @throws Problem `read_model_behind`, or that there is no such thing; Unavailable
 */
export async function awaitDocument(
  models: ReadModels,
  request: ReadRequest,
  { isOver, ...sought }: Sought & { isOver(document: Document): boolean },
): Promise<Read> {
  const until = Date.now() + request.preferWaitSeconds * 1000
  const { signal } = request
  const freshness = models.freshness[sought.model]
  let read = await readDocument(models, request, sought)
  let seen = positionOf(read.document)
  while (!isOver(read.document) && Date.now() < until && !signal.aborted) {
    const changedAt = await freshness.changed(sought.id, seen, { timeoutMs: until - Date.now(), signal })
    read = await readDocument(models, { ...request, minPosition: undefined }, sought)
    seen = changedAt ?? positionOf(read.document)
  }
  return read
}

/**
 * Documents of one build, all of them of one moment of it. A build in the making has no lists yet: they would be short without saying so.
 * Whether the caller may see them is for the caller's query to say.
 * @throws Problem `read_model_behind`; Unavailable
 */
export async function readList(models: ReadModels, request: ReadRequest, model: ReadModelName, find: Find): Promise<ReadList> {
  const { value, reading } = await readWhole(models, request, model, {
    read: (reading) => {
      if (!reading.isActive) throw new Problem('read_model_behind', 'the read model is being built')
      return models.documents.find(model, reading, find)
    },
    isMissing: (found) => found.length === 0,
  })
  return { found: value, asOf: asOf(reading) }
}

/** Whether a document's status is one of these. */
export const hasStatus =
  (statuses: readonly string[]) =>
  ({ status }: Document): boolean =>
    statuses.includes(String(status))

/** The lesser of two, for an answer made of both. */
export function olderOf(one: AsOf, other: AsOf): AsOf {
  return {
    position: isOlder(one.position, other.position) ? one.position : other.position,
    currentAt: Math.min(one.currentAt, other.currentAt),
  }
}

/** What `Prefer: wait=N` is acknowledged with (RFC 7240). */
export function preferenceApplied({ preferWaitSeconds }: ReadRequest): { [name: string]: string } {
  return preferWaitSeconds > 0 ? { 'Preference-Applied': `wait=${preferWaitSeconds}` } : {}
}

/** Revision as an entity tag; what is not shown of a document any more has changed it, too. */
export const entityTag = (document: Document) => `${document.revision}${notShownIn([document])}`

/** What of them is not shown, as the end of an entity tag. */
export const notShownIn = (documents: readonly Document[]) =>
  ['erased', 'unreadable'].map((why) => (documents.some((document) => document[why]) ? `-${why}` : '')).join('')

/**
 * Reads from one build. What is missing there is looked for again when another build has taken over, or when more was awaited and has come.
 * @throws Problem `read_model_behind`; Unavailable
 */
async function readWhole<T>(
  models: ReadModels,
  request: ReadRequest,
  model: ReadModelName,
  { read, isMissing }: { read(reading: Reading): Promise<Stored<T>>; isMissing(value: T): boolean },
): Promise<Stored<T>> {
  const freshness = models.freshness[model]
  for (let attempt = 1; ; attempt++) {
    const reading = await freshEnough(freshness, request)
    // Asked before the read: what is on its way now may have arrived right after it.
    const awaited = freshness.awaited()
    const stored = await read(reading)
    // What is remembered may be older than what was asked for.
    if (request.minPosition !== undefined && isOlder(stored.reading.position, request.minPosition)) throw new Unavailable('mongodb')
    if (stored.reading !== reading) return stored
    if (isMissing(stored.value)) await requireWhole(freshness, awaited, request)
    const hasMoved = !isReadFrom(freshness, reading) || (isMissing(stored.value) && awaited !== undefined)
    if (!hasMoved || attempt === ATTEMPTS) return stored
  }
}

/** A build that others have taken the place of may have been dropped in the middle of the read. */
const isReadFrom = (freshness: Freshness, { build }: Reading) => freshness.reading()?.build.id === build.id

/**
 * Waits until the read model is as new as the request asks.
 * @throws Problem `read_model_behind`
 */
async function freshEnough(freshness: Freshness, { minPosition, preferWaitSeconds, signal }: ReadRequest): Promise<Reading> {
  const timeoutMs = Math.max(POSITION_WAIT_MS, preferWaitSeconds * 1000)
  if (minPosition !== undefined) await freshness.reached(minPosition, { timeoutMs, signal })
  const reading = freshness.reading()
  if (!reading) throw new Problem('read_model_behind', 'the read model is being built')
  if (minPosition !== undefined && isOlder(reading.position, minPosition))
    throw new Problem('read_model_behind', `the read model has not reached position ${minPosition} yet`)
  return reading
}

/**
 * That something is missing says nothing while the read model lags behind what is known to be in the log, or is being built anew.
 * @throws Problem `read_model_behind`; Unavailable
 */
export async function requireWhole(
  freshness: Freshness,
  awaited: bigint | undefined,
  { preferWaitSeconds, signal }: Pick<ReadRequest, 'preferWaitSeconds' | 'signal'>,
): Promise<void> {
  const timeoutMs = Math.max(APPEARANCE_WAIT_MS, preferWaitSeconds * 1000)
  if (awaited === undefined) await freshness.look()
  const isWhole = awaited === undefined ? freshness.reading()?.isActive : await freshness.reached(awaited, { timeoutMs, signal })
  if (!isWhole) throw new Problem('read_model_behind', 'the read model is being built')
}

/** Documents of another tenant do not exist for the caller, unless the caller is the platform. */
function mayRead({ tenant }: Principal, document: Document): boolean {
  return tenant === PLATFORM_TENANT || document.tenant === tenant
}

/** Nothing is older than what is not known. */
function isOlder(one: bigint | undefined, other: bigint | undefined): boolean {
  return one === undefined || (other !== undefined && one < other)
}

const asOf = ({ position, currentAt }: Reading): AsOf => ({ position, currentAt })

function positionOf(document: Document): bigint {
  return BigInt(document.position as number)
}
