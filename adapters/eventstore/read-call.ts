import type { EventStoreDBClient } from '@eventstore/db-client'
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import type { ClientReadableStream } from '@grpc/grpc-js'
import { openCall, shared, streams } from './connection.ts'
import { decodeReadResponse, type ReadResponse } from './read-response.ts'

/** Of a stream from a revision, or of the log of all streams from a position; `undefined` is the beginning. */
type Source = { stream?: string; from: bigint | 'end' | undefined }

/** So many events one way, or a subscription to all streams whose names begin with one of the prefixes. */
type Extent = { direction: 'forwards' | 'backwards'; count: number } | { prefixes: readonly string[]; checkpointInterval: number }

export type ReadRequest = Source & Extent

export type ReadCall = ClientReadableStream<ReadResponse>

const PATH = '/event_store.client.streams.Streams/Read'

/** A read over the client's connection, made as the client makes its own, but for the decoding of what comes. It fails with gRPC's errors. */
export function openRead(client: EventStoreDBClient, request: ReadRequest): Promise<ReadCall> {
  return openCall(client, 'read', (service, metadata, options) =>
    service
      .makeServerStreamRequest(PATH, encode, decodeReadResponse, readRequest(request), metadata, options)
      // That of a call which was given up comes when nobody listens any more.
      .on('error', () => {}),
  )
}

const encode = (request: ReadReq): Buffer => Buffer.from(request.serializeBinary())

const { Empty } = shared

function readRequest(request: ReadRequest): ReadReq {
  const { Options } = streams.ReadReq
  const options = new Options()
  const ids = new Options.UUIDOption()
  ids.setString(new Empty())
  options.setUuidOption(ids)
  setSource(options, request)
  if ('prefixes' in request) {
    options.setSubscription(new Options.SubscriptionOptions())
    options.setFilter(prefixFilter(request))
  } else {
    options.setReadDirection(request.direction === 'forwards' ? Options.ReadDirection.FORWARDS : Options.ReadDirection.BACKWARDS)
    options.setCount(String(request.count))
    options.setNoFilter(new Empty())
  }
  const message = new streams.ReadReq()
  message.setOptions(options)
  return message
}

function setSource(options: ReadReq.Options, { stream, from }: Source): void {
  if (stream !== undefined) {
    const source = new streams.ReadReq.Options.StreamOptions()
    const identifier = new shared.StreamIdentifier()
    identifier.setStreamName(Buffer.from(stream))
    source.setStreamIdentifier(identifier)
    if (from === undefined) source.setStart(new Empty())
    else if (from === 'end') source.setEnd(new Empty())
    else source.setRevision(String(from))
    options.setStream(source)
    return
  }
  const source = new streams.ReadReq.Options.AllOptions()
  if (from === undefined) source.setStart(new Empty())
  else if (from === 'end') source.setEnd(new Empty())
  else {
    const position = new streams.ReadReq.Options.Position()
    position.setCommitPosition(String(from))
    position.setPreparePosition(String(from))
    source.setPosition(position)
  }
  options.setAll(source)
}

function prefixFilter({ prefixes, checkpointInterval }: Extract<Extent, { prefixes: unknown }>): ReadReq.Options.FilterOptions {
  const { FilterOptions } = streams.ReadReq.Options
  const expression = new FilterOptions.Expression()
  expression.setPrefixList([...prefixes])
  const filter = new FilterOptions()
  filter.setStreamIdentifier(expression)
  filter.setCount(new Empty())
  filter.setCheckpointintervalmultiplier(checkpointInterval)
  return filter
}
