import {
  type Cursor,
  cursorOf,
  readBool,
  readMessage,
  readTag,
  readText,
  readVarint,
  skipField,
  tag,
  WIRE,
} from '../../../protobuf/cursor.ts'
import { readStreamIdentifier } from '../../../protobuf/shared-messages.ts'
import type { Direction } from '../log/event.ts'
import { compileFilter, type EventFilter, everything, type FilterExpression } from '../streams/filter.ts'
import { BadRequest } from './errors.ts'
import { keyOf, streamName } from './mapping.ts'
import { readIdOption } from './shared-fields.ts'

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

const BACKWARDS = 1

const OPTIONS = tag(1, WIRE.lengthDelimited)
const OPTION = {
  stream: tag(1, WIRE.lengthDelimited),
  all: tag(2, WIRE.lengthDelimited),
  direction: tag(3, WIRE.varint),
  resolveLinks: tag(4, WIRE.varint),
  count: tag(5, WIRE.varint),
  subscription: tag(6, WIRE.lengthDelimited),
  filter: tag(7, WIRE.lengthDelimited),
  noFilter: tag(8, WIRE.lengthDelimited),
  ids: tag(9, WIRE.lengthDelimited),
  control: tag(10, WIRE.lengthDelimited),
}
const STREAM = {
  identifier: tag(1, WIRE.lengthDelimited),
  revision: tag(2, WIRE.varint),
  start: tag(3, WIRE.lengthDelimited),
  end: tag(4, WIRE.lengthDelimited),
}
const ALL = { position: tag(1, WIRE.lengthDelimited), start: tag(2, WIRE.lengthDelimited), end: tag(3, WIRE.lengthDelimited) }
const COMMIT_POSITION = tag(1, WIRE.varint)
const FILTER = {
  stream: tag(1, WIRE.lengthDelimited),
  type: tag(2, WIRE.lengthDelimited),
  window: tag(3, WIRE.varint),
  multiplier: tag(5, WIRE.varint),
}
const EXPRESSION = { regex: tag(1, WIRE.lengthDelimited), prefix: tag(2, WIRE.lengthDelimited) }
const COMPATIBILITY = tag(1, WIRE.varint)

/** A request as it was sent. */
type Sent = Omit<ReadRequest, 'stream' | 'from' | 'count' | 'filter' | 'checkpointInterval'> & {
  of: { stream: Buffer | undefined; from: 'start' | 'end' | number | bigint } | undefined
  count: number | bigint | undefined
  filter: { expression: FilterExpression | undefined; window: number; multiplier: number } | undefined
}

/**
 * Reads by hand, since every read begins with it:
 *   ReadReq { Options options = 1 }
 *   Options { oneof { StreamOptions stream = 1; AllOptions all = 2 }; ReadDirection direction = 3; bool resolve_links = 4;
 *             oneof { uint64 count = 5; Empty subscription = 6 }; oneof { FilterOptions filter = 7; Empty no_filter = 8 };
 *             UUIDOption ids = 9; ControlOption control = 10 }
 * @throws MalformedMessage, or BadRequest when the request makes no sense
 */
export function parseReadRequest(bytes: Buffer): ReadRequest {
  const { of, count, filter, direction, resolveLinks, structuredIds, compatibility } = decode(bytes)
  if (!of) throw new BadRequest('neither a stream nor all streams are asked for')
  return {
    stream: of.stream && streamName(of.stream),
    from: typeof of.from === 'string' ? of.from : keyOf(of.from),
    direction,
    count: count === undefined ? undefined : countOf(count),
    filter: filter ? compiled(filter.expression) : everything,
    checkpointInterval: filter && (filter.window || DEFAULT_WINDOW) * Math.max(1, filter.multiplier),
    resolveLinks,
    structuredIds,
    compatibility,
  }
}

function decode(bytes: Buffer): Sent {
  const message = cursorOf(bytes)
  let options: Cursor | undefined
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === OPTIONS) options = readMessage(message)
    else skipField(message, field)
  }
  if (!options) throw new BadRequest('the options are missing')
  return readOptions(options)
}

function readOptions(options: Cursor): Sent {
  const sent: Sent = {
    of: undefined,
    direction: 'forwards',
    count: 0,
    filter: undefined,
    resolveLinks: false,
    structuredIds: false,
    compatibility: 0,
  }
  for (let field = readTag(options); field !== 0; field = readTag(options)) {
    if (field === OPTION.stream) sent.of = readStreamOptions(readMessage(options))
    else if (field === OPTION.all) sent.of = readAllOptions(readMessage(options))
    else if (field === OPTION.direction) sent.direction = readVarint(options) === BACKWARDS ? 'backwards' : 'forwards'
    else if (field === OPTION.resolveLinks) sent.resolveLinks = readBool(options)
    else if (field === OPTION.count) sent.count = readVarint(options)
    else if (field === OPTION.filter) sent.filter = readFilter(readMessage(options))
    else if (field === OPTION.ids) sent.structuredIds = readIdOption(options)
    else if (field === OPTION.control) sent.compatibility = readCompatibility(readMessage(options))
    else {
      skipField(options, field)
      if (field === OPTION.subscription) sent.count = undefined
      else if (field === OPTION.noFilter) sent.filter = undefined
    }
  }
  return sent
}

/** StreamOptions { StreamIdentifier identifier = 1; oneof { uint64 revision = 2; Empty start = 3, end = 4 } } */
function readStreamOptions(message: Cursor): NonNullable<Sent['of']> {
  const of: NonNullable<Sent['of']> = { stream: Buffer.alloc(0), from: 'start' }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === STREAM.identifier) of.stream = readStreamIdentifier(message)
    else if (field === STREAM.revision) of.from = readVarint(message)
    else {
      skipField(message, field)
      if (field === STREAM.start) of.from = 'start'
      else if (field === STREAM.end) of.from = 'end'
    }
  }
  return of
}

/** AllOptions { oneof { Position position = 1; Empty start = 2, end = 3 } }, Position { uint64 commit = 1, prepare = 2 } */
function readAllOptions(message: Cursor): NonNullable<Sent['of']> {
  const of: NonNullable<Sent['of']> = { stream: undefined, from: 'start' }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === ALL.position) of.from = readNumberField(readMessage(message), COMMIT_POSITION)
    else {
      skipField(message, field)
      if (field === ALL.start) of.from = 'start'
      else if (field === ALL.end) of.from = 'end'
    }
  }
  return of
}

/** FilterOptions { oneof { Expression stream = 1, type = 2 }; oneof { uint32 max = 3; Empty count = 4 }; uint32 multiplier = 5 } */
function readFilter(message: Cursor): NonNullable<Sent['filter']> {
  const filter: NonNullable<Sent['filter']> = { expression: undefined, window: 0, multiplier: 0 }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === FILTER.stream) filter.expression = readExpression(readMessage(message), 'stream')
    else if (field === FILTER.type) filter.expression = readExpression(readMessage(message), 'type')
    else if (field === FILTER.window) filter.window = Number(readVarint(message))
    else if (field === FILTER.multiplier) filter.multiplier = Number(readVarint(message))
    else skipField(message, field)
  }
  return filter
}

/** Expression { string regex = 1; repeated string prefix = 2 } */
function readExpression(message: Cursor, on: FilterExpression['on']): FilterExpression {
  let regex = ''
  const prefixes: string[] = []
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === EXPRESSION.regex) regex = readText(message)
    else if (field === EXPRESSION.prefix) prefixes.push(readText(message))
    else skipField(message, field)
  }
  return filterExpression(on, regex, prefixes)
}

const readCompatibility = (message: Cursor) => Number(readNumberField(message, COMPATIBILITY))

function readNumberField(message: Cursor, wanted: number): number | bigint {
  let value: number | bigint = 0
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === wanted) value = readVarint(message)
    else skipField(message, field)
  }
  return value
}

function countOf(sent: number | bigint): number {
  const count = Number(sent)
  if (count < 1) throw new BadRequest('a read must ask for at least one event')
  return count
}

export function filterExpression(on: FilterExpression['on'], regex: string, prefixes: string[]): FilterExpression {
  return prefixes.length > 0 ? { on, prefixes } : { on, regex }
}

/** @throws BadRequest */
export function compiled(expression: FilterExpression | undefined): EventFilter {
  if (!expression) throw new BadRequest('the filter says neither streams nor event types')
  try {
    return compileFilter(expression)
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadRequest(error.message)
    throw error
  }
}
