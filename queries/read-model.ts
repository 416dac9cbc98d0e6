/** How every query reads: no older than asked, only what belongs to the caller's tenant, and after a wait where one was asked for. */
import type { Document, Documents } from '../domain/ports/documents.ts'
import { noSuch, Problem } from '../http/problem.ts'
import { PLATFORM_TENANT, type Principal, type RouteRequest } from '../http/route.ts'
import type { Freshness } from './freshness.ts'

/** Each has a collection and a projection of that name. */
export const READ_MODELS = ['wallets', 'keys', 'signing_sessions', 'wallet_history', 'parties'] as const
export type ReadModelName = (typeof READ_MODELS)[number]

export type ReadModels = { documents: Documents; freshness: { readonly [Name in ReadModelName]: Freshness } }

export type ReadRequest = Pick<RouteRequest, 'principal' | 'minPosition' | 'preferWaitSeconds' | 'signal'>

/** One document: of which read model, by which id, and the name of that id in the path. */
export type Sought = { model: ReadModelName; id: string; parameter: string }

export type Read = { document: Document; position: bigint | undefined }

/** How long a read waits for the position it asked for. */
const POSITION_WAIT_MS = 2_000
/** How long a read waits for a document that may be on its way. */
const APPEARANCE_WAIT_MS = 500

/**
 * Waits until the read model is as new as the request asks, and tells the position it then has.
 * @throws Problem `read_model_behind`
 */
export async function freshEnough(freshness: Freshness, { minPosition, signal }: ReadRequest): Promise<bigint | undefined> {
  if (minPosition !== undefined && !(await freshness.reached(minPosition, { timeoutMs: POSITION_WAIT_MS, signal })))
    throw new Problem('read_model_behind', `the read model has not reached position ${minPosition} yet`)
  return freshness.position()
}

/**
 * The document, if it is the caller's to see.
 * @throws Problem `read_model_behind`, or that there is no such thing
 */
export async function readDocument(models: ReadModels, request: ReadRequest, sought: Sought): Promise<Read> {
  const freshness = models.freshness[sought.model]
  const position = await freshEnough(freshness, request)
  // Asked before the look: what is on its way now may have arrived right after it.
  const awaited = freshness.awaited()
  const look = () => models.documents.get(sought.model, sought.id)
  let document = await look()
  if (!document) {
    await requireWhole(freshness, awaited, request)
    document = awaited === undefined ? undefined : await look()
  }
  if (!document || !mayRead(request.principal, document)) throw noSuch(sought.parameter)
  return { document, position }
}

/**
 * Like `readDocument`, but with `Prefer: wait=N` not before the document's status is terminal or the time is up.
 * @throws Problem `read_model_behind`, or that there is no such thing
 */
export async function awaitDocument(
  models: ReadModels,
  request: ReadRequest,
  { terminal, ...sought }: Sought & { terminal: readonly string[] },
): Promise<Read> {
  const until = Date.now() + request.preferWaitSeconds * 1000
  const { signal } = request
  const freshness = models.freshness[sought.model]
  let read = await readDocument(models, request, sought)
  let seen = positionOf(read.document)
  while (!terminal.includes(String(read.document.status)) && Date.now() < until && !signal.aborted) {
    const changedAt = await freshness.changed(sought.id, seen, { timeoutMs: until - Date.now(), signal })
    read = await readDocument(models, { ...request, minPosition: undefined }, sought)
    seen = changedAt ?? positionOf(read.document)
  }
  return read
}

/** What `Prefer: wait=N` is acknowledged with (RFC 7240). */
export function preferenceApplied({ preferWaitSeconds }: ReadRequest): { [name: string]: string } {
  return preferWaitSeconds > 0 ? { 'Preference-Applied': `wait=${preferWaitSeconds}` } : {}
}

/** Revision as an entity tag. */
export const entityTag = (document: Document) => String(document.revision)

/** Documents of another tenant do not exist for the caller, unless the caller is the platform. */
function mayRead({ tenant }: Principal, document: Document): boolean {
  return tenant === PLATFORM_TENANT || document.tenant === tenant
}

/**
 * That something is missing says nothing while the read model lags behind what is known to be in the log, or is being built anew.
 * @throws Problem `read_model_behind`
 */
export async function requireWhole(
  freshness: Freshness,
  awaited: bigint | undefined,
  { preferWaitSeconds, signal }: Pick<ReadRequest, 'preferWaitSeconds' | 'signal'>,
): Promise<void> {
  const timeoutMs = Math.max(APPEARANCE_WAIT_MS, preferWaitSeconds * 1000)
  const whole = awaited === undefined ? await freshness.confirm() : await freshness.reached(awaited, { timeoutMs, signal })
  if (!whole) throw new Problem('read_model_behind', 'the read model is being built')
}

function positionOf(document: Document): bigint {
  return BigInt(document.position as number)
}
