/** The request headers of the contract, each checked before anything reads it. */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { MAX_REQUIRED_APPROVALS } from '../domain/wallet/policy.ts'
import { Problem } from './problem.ts'

const MAX_INTENT_BYTES = 8 * 1024
const MAX_APPROVALS_BYTES = 12 * 1024
const MAX_WAIT_SECONDS = 60

const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
const COMPACT_JWS_LIST = /^[\w.-]+( *, *[\w.-]+)*$/
const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/
const CORRELATION_ID = /^[\w.:-]{1,128}$/
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
const POSITION = /^\d{1,20}$/
const ENTITY_TAG = /(?:W\/)?("[^"]*")/g

/** The caller's own correlation id when it is a plain one, else a fresh UUID. */
export function correlationIdFrom(headers: IncomingHttpHeaders): string {
  const given = headers['x-correlation-id']
  return typeof given === 'string' && CORRELATION_ID.test(given) ? given : randomUUID()
}

/** W3C Trace Context; a malformed one is ignored, as the recommendation asks. */
export function traceparentFrom(headers: IncomingHttpHeaders): string | undefined {
  const given = headers.traceparent
  return typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined
}

/** @throws Problem `invalid_header` */
export function idempotencyKeyFrom(headers: IncomingHttpHeaders): string | null {
  return checkedHeader(headers, 'Idempotency-Key', (value) => VISIBLE_ASCII.test(value), 'must be 1 to 255 visible ASCII characters')
}

/** @throws Problem `invalid_header` */
export function intentFrom(headers: IncomingHttpHeaders): string | null {
  const plausible = (value: string) => value.length <= MAX_INTENT_BYTES && COMPACT_JWS.test(value)
  return checkedHeader(headers, 'Quorate-Intent', plausible, `must be a compact JWS of at most ${MAX_INTENT_BYTES} bytes`)
}

/** Intents of approvers; none without the header. @throws Problem `invalid_header` */
export function approvalsFrom(headers: IncomingHttpHeaders): readonly string[] {
  const split = (value: string) => value.split(/ *, */)
  const plausible = (value: string) =>
    value.length <= MAX_APPROVALS_BYTES && COMPACT_JWS_LIST.test(value) && split(value).length <= MAX_REQUIRED_APPROVALS
  const rule = `must be at most ${MAX_REQUIRED_APPROVALS} compact JWS separated by commas, of ${MAX_APPROVALS_BYTES} bytes together`
  const value = checkedHeader(headers, 'Quorate-Approvals', plausible, rule)
  return value === null ? [] : split(value)
}

/** @throws Problem `invalid_header` */
export function minPositionFrom(headers: IncomingHttpHeaders): bigint | undefined {
  const value = checkedHeader(headers, 'Quorate-Min-Position', (given) => POSITION.test(given), 'must be a position: decimal digits')
  return value === null ? undefined : BigInt(value)
}

/** What a reader of server-sent events saw last; an empty one is as good as none. */
export function lastEventIdFrom(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['last-event-id']
  return typeof given === 'string' && given !== '' ? given : undefined
}

/** Seconds of `Prefer: wait=N` (RFC 7240), at most 60; 0 without one. Other preferences, and malformed ones, are ignored as the RFC asks. */
export function preferWaitSecondsFrom(headers: IncomingHttpHeaders): number {
  const prefer = headers.prefer
  if (typeof prefer !== 'string') return 0
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=[,;]|$)/i.exec(prefer)
  return wait ? Math.min(Number(wait[1]), MAX_WAIT_SECONDS) : 0
}

/** Whether `If-None-Match` names this entity tag, by weak comparison (RFC 9110 §13.1.2). */
export function namesEntityTag(headers: IncomingHttpHeaders, quoted: string): boolean {
  const given = headers['if-none-match']
  if (given === undefined) return false
  if (given.trim() === '*') return true
  for (const [, tag] of given.matchAll(ENTITY_TAG)) if (tag === quoted) return true
  return false
}

function checkedHeader(headers: IncomingHttpHeaders, name: string, acceptable: (value: string) => boolean, rule: string): string | null {
  const value = headers[name.toLowerCase()]
  if (value === undefined) return null
  if (typeof value === 'string' && acceptable(value)) return value
  throw new Problem('invalid_header', `${name} ${rule}`, { errors: [{ header: name, code: 'invalid_value', detail: rule }] })
}
