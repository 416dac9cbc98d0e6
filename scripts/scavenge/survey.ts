import { isSnapshot } from '../../adapters/eventstore/snapshots.ts'
import { isWebhookRecord } from '../../adapters/eventstore/webhook-records.ts'
import { AUDITED_STREAMS } from '../../domain/audit/canonical-event.ts'
import { CHECKPOINT_STREAM } from '../../domain/audit/checkpoint-stream.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { ScavengedStore } from '../../domain/ports/scavenged-store.ts'
import type { Removable } from '../../domain/scavenge/events.ts'
import { WEBHOOK_KEYS_STREAM } from '../../domain/webhook/signing-keys.ts'

/** What a scavenge would remove, as far as can be told before, and the position of the last event there is. */
export type Survey = {
  readonly removable: Removable
  readonly position: bigint
  /** Of the events that Quorate is made of, the first that would go. */
  readonly needed: Place | undefined
}

export type Counts = { -readonly [Kind in keyof Removable]: Removable[Kind] }

/** What the store hides of a stream (`$tb`, `$maxCount`, `$maxAge` in seconds). */
type Limits = { readonly truncateBefore: number; readonly maxCount: number; readonly maxAge: number }

type Place = Pick<RecordedEvent, 'stream' | 'revision' | 'position'>

/** The events of one stream that are stored, which follow one another. */
type Stored = { readonly first: Place; last: number; expired: number; events: number }

const METADATA = '$$'
const UNLIMITED = Number.POSITIVE_INFINITY
/** The revision of the event that ends a stream for ever. */
const TOMBSTONE = 2n ** 63n - 1n
const SUBSCRIPTIONS = ['$persistentsubscription-', '$persistentSubscriptionConfig']

/** By the rules of EventStoreDB, reading all that is stored twice. `now` in milliseconds. @throws Unavailable */
export async function surveyStore(store: Pick<ScavengedStore, 'readStored'>, now: number): Promise<Survey> {
  const { limits, tombstoned, position } = await limitsIn(store)
  const streams = new Map<string, Stored>()
  for await (const event of store.readStored()) {
    const { stream, revision, position: at } = event
    if (!limits.has(stream) && !tombstoned.has(stream) && !stream.startsWith(METADATA)) continue
    // Without what is in the event: there are as many streams as snapshots.
    const stored = streams.get(stream) ?? { first: { stream, revision, position: at }, last: 0, expired: 0, events: 0 }
    streams.set(stream, stored)
    stored.events += 1
    if (revision === TOMBSTONE) continue
    stored.last = Number(revision)
    const { maxAge = UNLIMITED } = limits.get(stream) ?? {}
    // What is needed and has an age limit goes sooner or later: it may be while the store is at work, and by the store's own clock.
    const isExpiring = maxAge < UNLIMITED && isNeeded(stream)
    if (isExpiring || Date.parse(event.recordedAt) < now - maxAge * 1_000) stored.expired = stored.last + 1
  }
  const removable = noEvents()
  let needed: Survey['needed']
  for (const [stream, stored] of streams) {
    const count = countOf(stream, stored, limits.get(stream), tombstoned)
    if (count > 0 && isNeeded(stream) && (needed === undefined || stored.first.position < needed.position)) needed = stored.first
    removable[kindOf(stream)] += count
  }
  return { removable, position, needed }
}

/** All that is stored up to a position, by what it is; events that Quorate is made of, which a scavenge must leave, are counted with none of these. */
export async function countStored(store: Pick<ScavengedStore, 'readStored'>, position: bigint): Promise<Removable> {
  const counts = noEvents()
  for await (const event of store.readStored()) {
    if (event.position > position) break
    if (!isNeeded(event.stream)) counts[kindOf(event.stream)] += 1
  }
  return counts
}

/** What was there before and is not now. */
export function lessOf(before: Removable, after: Removable): Removable {
  const counts = noEvents()
  for (const kind of Object.keys(counts) as (keyof Removable)[]) counts[kind] = before[kind] - after[kind]
  return counts
}

const noEvents = (): Counts => ({ snapshots: 0, subscriptions: 0, metadata: 0, webhookRecords: 0, others: 0 })

async function limitsIn(store: Pick<ScavengedStore, 'readStored'>) {
  const limits = new Map<string, Limits>()
  const tombstoned = new Set<string>()
  let position = 0n
  for await (const event of store.readStored()) {
    position = event.position
    if (event.revision === TOMBSTONE) tombstoned.add(event.stream)
    else if (event.stream.startsWith(METADATA)) {
      const found = limitsOf(event.data instanceof Uint8Array ? parsed(event.data) : event.data)
      if (found) limits.set(event.stream.slice(METADATA.length), found)
      else limits.delete(event.stream.slice(METADATA.length))
    }
  }
  return { limits, tombstoned, position }
}

/** What is not called JSON should mean nothing to the store either, but what it takes for limits in spite of that is not to be missed. */
function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString())
  } catch {
    return undefined
  }
}

/** What is not of the right kind means no limits at all. */
function limitsOf(data: unknown): Limits | undefined {
  const { $tb = 0, $maxCount = UNLIMITED, $maxAge = UNLIMITED } = (data ?? {}) as Readonly<Record<string, unknown>>
  if (!isWhole($tb, 0) || !isWhole($maxCount, 1) || !isWhole($maxAge, 1)) return undefined
  return { truncateBefore: $tb, maxCount: $maxCount, maxAge: $maxAge }
}

const isWhole = (value: unknown, least: number): value is number =>
  value === UNLIMITED || (typeof value === 'number' && Number.isInteger(value) && value >= least)

/** A stream keeps its last event, unless it is the metadata of one that has ended for ever. */
function countOf(stream: string, { first, last, expired, events }: Stored, limits: Limits | undefined, tombstoned: ReadonlySet<string>) {
  if (tombstoned.has(stream)) return events - 1
  if (stream.startsWith(METADATA)) return tombstoned.has(stream.slice(METADATA.length)) ? events : events - 1
  const { truncateBefore = 0, maxCount = UNLIMITED } = limits ?? {}
  const point = Math.min(last, Math.max(truncateBefore, last - maxCount + 1, expired))
  return Math.max(0, point - Number(first.revision))
}

/** What no archive holds is needed all the more. */
const NEEDED = new Set([CHECKPOINT_STREAM, WEBHOOK_KEYS_STREAM])
const isNeeded = (stream: string): boolean => NEEDED.has(stream) || AUDITED_STREAMS.some((prefix) => stream.startsWith(prefix))

function kindOf(stream: string): keyof Removable {
  if (stream.startsWith(METADATA)) return 'metadata'
  if (SUBSCRIPTIONS.some((prefix) => stream.startsWith(prefix))) return 'subscriptions'
  if (isSnapshot({ stream })) return 'snapshots'
  return isWebhookRecord({ stream }) ? 'webhookRecords' : 'others'
}
