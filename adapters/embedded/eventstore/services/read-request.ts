import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import type { Direction } from '../log/event.ts'
import { compileFilter, type EventFilter, everything, type FilterExpression } from '../streams/filter.ts'
import { BadRequest } from './errors.ts'
import { streams } from './generated.ts'
import { keyOf, streamName } from './mapping.ts'

export type From = 'start' | 'end' | number

export type ReadRequest = {
  /** Absent when all streams are read. */
  stream: string | undefined
  from: From
  direction: Direction
  /** Absent when it is a subscription. */
  count: number | undefined
  filter: EventFilter
  /** Only with a filter: how many events there are between checkpoints. */
  checkpointInterval: number | undefined
  resolveLinks: boolean
  structuredIds: boolean
  /** Clients from version 1 on are told the stream's ends. */
  compatibility: number
}

/** Without a window of its own, a filtered subscription considers so many events between checkpoints. */
const DEFAULT_WINDOW = 32

/** @throws BadRequest or SyntaxError when the request makes no sense */
export function parseReadRequest(request: ReadReq): ReadRequest {
  const options = request.getOptions()
  if (!options) throw new BadRequest('the options are missing')
  const one = options.getStream()
  const filter = options.getFilter()
  return {
    stream: one && streamName(one.getStreamIdentifier()),
    from: one ? fromOf(one, one.hasRevision() ? one.getRevision() : undefined) : fromAll(options.getAll()),
    direction: options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS ? 'backwards' : 'forwards',
    count: options.hasSubscription() ? undefined : countOf(options.getCount()),
    filter: filter ? compileFilter(filterExpression(filter)) : everything,
    checkpointInterval: filter && (filter.getMax() || DEFAULT_WINDOW) * Math.max(1, filter.getCheckpointintervalmultiplier()),
    resolveLinks: options.getResolveLinks(),
    structuredIds: options.getUuidOption()?.hasStructured() ?? false,
    compatibility: options.getControlOption()?.getCompatibility() ?? 0,
  }
}

function countOf(text: string): number {
  const count = Number(text)
  if (count < 1) throw new BadRequest('a read must ask for at least one event')
  return count
}

/** `exact` is the revision or position asked for, when that is what the options hold. @throws BadRequest */
export function fromOf(options: { hasEnd(): boolean }, exact: string | undefined): From {
  if (exact !== undefined) return keyOf(exact)
  return options.hasEnd() ? 'end' : 'start'
}

function fromAll(options: ReadReq.Options.AllOptions | undefined): From {
  if (!options) throw new BadRequest('neither a stream nor all streams are asked for')
  return fromOf(options, options.getPosition()?.getCommitPosition())
}

type FilterMessage = { getStreamIdentifier(): ExpressionMessage | undefined; getEventType(): ExpressionMessage | undefined }
type ExpressionMessage = { getRegex(): string; getPrefixList(): string[] }

/** The filter of a read or of a persistent subscription. @throws BadRequest */
export function filterExpression(message: FilterMessage): FilterExpression {
  const expression = message.getStreamIdentifier() ?? message.getEventType()
  if (!expression) throw new BadRequest('the filter says neither streams nor event types')
  const on = message.getStreamIdentifier() ? 'stream' : 'type'
  const prefixes = expression.getPrefixList()
  return prefixes.length > 0 ? { on, prefixes } : { on, regex: expression.getRegex() }
}
