import { createRequire } from 'node:module'
import { BACKWARDS, END, EventStoreDBClient, FORWARDS, jsonEvent, START, streamNameFilter } from '@eventstore/db-client'
import { Client, credentials } from '@grpc/grpc-js'
import type { Source, StoreClient } from './client.ts'
import { measureStore } from './store.ts'

// CommonJS that only the client package can see, so it is resolved from there.
const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const { ReadReq }: typeof import('@eventstore/db-client/generated/streams_pb.js') = load('../generated/streams_pb.js')
const { Empty, StreamIdentifier }: typeof import('@eventstore/db-client/generated/shared_pb.js') = load('../generated/shared_pb.js')

const READ_METHOD = '/event_store.client.streams.Streams/Read'
const MAX_MESSAGE_BYTES = 17 * 1024 * 1024

/** 256 bytes of JSON. */
const DATA = { p: 'x'.repeat(248) }
const CREDENTIALS = { username: 'admin', password: 'changeit' }

/** `npm run bench -- store`: an event store, measured through its official client. */
export const benchStore = (args: readonly string[]) => measureStore(args, connectStoreClient)

function connectStoreClient(url: string): StoreClient {
  const client = EventStoreDBClient.connectionString(url)
  const { host, searchParams } = new URL(url)
  const channel = searchParams.get('tls') === 'false' ? credentials.createInsecure() : credentials.createSsl()
  const raw = new Client(host, channel, { 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES })

  return {
    async append(stream, ids, call = 'batch') {
      const events = ids.map((id) => jsonEvent({ id, type: 'bench', data: DATA }))
      await client.appendToStream(stream, events, call === 'classic' ? { credentials: CREDENTIALS } : {})
    },

    read(source, { direction, from, limit }) {
      const options = { direction: direction === 'forwards' ? FORWARDS : BACKWARDS, maxCount: limit } as const
      const edge = direction === 'forwards' ? START : END
      return counted(
        'stream' in source
          ? client.readStream(source.stream, { ...options, fromRevision: from ?? edge })
          : client.readAll({ ...options, fromPosition: from === undefined ? edge : at(from) }),
      )
    },

    readUndecoded(stream, limit) {
      const asIs = (bytes: Buffer) => bytes
      const call = raw.makeServerStreamRequest(READ_METHOD, asIs, asIs, Buffer.from(readRequest(stream, limit)))
      let seen = 0
      return new Promise((resolve, reject) => {
        call.on('data', () => seen++)
        call.once('error', reject).once('end', () => resolve(seen))
      })
    },

    async firstPosition(stream) {
      let position: bigint | undefined
      for await (const { event } of client.readStream(stream, { maxCount: 1 })) position = event?.position?.commit
      if (position === undefined) throw new Error(`the stream ${stream} has no first event`)
      return position
    },

    async catchUp(source, events) {
      const subscription = openSubscription(source, START)
      let seen = 0
      // It flows on while it is being ended: what nobody takes would keep the client from ever closing.
      await new Promise<void>((resolve, reject) => {
        subscription.on('data', () => {
          if (++seen === events) resolve()
        })
        subscription.on('error', reject).on('end', () => reject(new Error(`the subscription ended after ${seen} of ${events} events`)))
      })
      await subscription.unsubscribe()
    },

    async subscribe(source, onEvent) {
      const subscription = openSubscription(source, END)
      subscription.on('data', ({ event }) => {
        if (event) onEvent(event.id)
      })
      await new Promise<void>((resolve, reject) => subscription.on('confirmation', resolve).on('error', reject))
      return () => subscription.unsubscribe()
    },

    async close() {
      raw.close()
      await client.dispose()
    },
  }

  function openSubscription(source: Source, edge: typeof START | typeof END) {
    if ('stream' in source) return client.subscribeToStream(source.stream, { fromRevision: edge })
    const { prefix, after } = source
    return client.subscribeToAll({
      fromPosition: after === undefined ? edge : at(after),
      ...(prefix !== undefined && { filter: streamNameFilter({ prefixes: [prefix] }) }),
    })
  }
}

const at = (position: bigint) => ({ commit: position, prepare: position })

async function counted(events: AsyncIterable<unknown>): Promise<number> {
  let seen = 0
  for await (const _ of events) seen++
  return seen
}

/** The protocol's message for a read of a stream from its beginning. */
function readRequest(stream: string, limit: number): Uint8Array {
  const identifier = new StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream).toString('base64'))
  const from = new ReadReq.Options.StreamOptions()
  from.setStreamIdentifier(identifier)
  from.setStart(new Empty())
  const ids = new ReadReq.Options.UUIDOption()
  ids.setString(new Empty())
  const options = new ReadReq.Options()
  options.setStream(from)
  options.setReadDirection(ReadReq.Options.ReadDirection.FORWARDS)
  options.setResolveLinks(false)
  options.setCount(String(limit))
  options.setNoFilter(new Empty())
  options.setUuidOption(ids)
  const request = new ReadReq()
  request.setOptions(options)
  return request.serializeBinary()
}
