import { createRequire } from 'node:module'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import type * as SharedMessages from '@eventstore/db-client/generated/shared_pb.js'
import type * as StreamsService from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type * as StreamsMessages from '@eventstore/db-client/generated/streams_pb.js'
import { type CallOptions, type Channel, type ChannelOptions, Metadata, type ServiceError, status } from '@grpc/grpc-js'

// CommonJS that only the client package can see, so it is resolved from there.
const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))

/** The client's own messages. */
export const streams = load('../generated/streams_pb.js') as typeof StreamsMessages
export const shared = load('../generated/shared_pb.js') as typeof SharedMessages
export const { Empty } = load('google-protobuf/google/protobuf/empty_pb.js') as typeof import('google-protobuf/google/protobuf/empty_pb.js')
/** A status of gRPC as the client's own kind of error; another error, and that of a call which this side has cancelled, as it is. */
export const { convertToCommandError } = load('./utils/CommandError.js') as { convertToCommandError(error: Error): Error }
const services = load('../generated/streams_grpc_pb.js') as typeof StreamsService

/** A service's client of the package, by which it knows the service. */
type ServiceClass<Service> = new (...args: never[]) => Service

/** What the client makes its own calls with: its channel, its credentials, and connecting anew when a call is lost. */
type Internals = {
  GRPCStreamCreator<Call extends Readable | Duplex>(
    service: typeof StreamsClient,
    name: string,
    open: (service: StreamsClient) => Call,
  ): () => Promise<Call>
  callArguments(base: object, options: CallOptions): [Metadata, CallOptions]
  createChannel(): Promise<Channel>
  execute<Service, Answer>(service: ServiceClass<Service>, name: string, action: (service: Service) => Promise<Answer>): Promise<Answer>
  getChannel(): Promise<Channel>
  getGRPCClient(service: typeof StreamsClient, name: string): Promise<StreamsClient>
  handleError(service: StreamsClient, error: ServiceError): Promise<void>
}
const internals = (client: EventStoreDBClient) => client as unknown as Internals

/** What the server may send before it is told that so much was read. HTTP/2's own 64 KiB are fifty events: whoever reads many waits a quarter of the time. */
export const WINDOW_BYTES = 256 * 1024

/** A client of its own for the connection string; connects on first use. */
export function openClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url)
  const { createChannel } = internals(client)
  internals(client).createChannel = async () => widened(await createChannel())
  return client
}

/** The client takes no options for its channel, which connects on first use, by those that it has then. */
function widened(channel: Channel): Channel {
  const { internalChannel } = channel as unknown as { internalChannel: { options: ChannelOptions } }
  internalChannel.options['grpc-node.flow_control_window'] = WINDOW_BYTES
  return channel
}

/** The client waits for ever for calls to end whose connection is gone. */
const DISPOSED_WITHIN_MS = 1_000

/** Ends the client's calls, and its hold on the connection, which the client itself keeps. */
export async function closeClient(client: EventStoreDBClient): Promise<void> {
  await Promise.race([client.dispose(), delay(DISPOSED_WITHIN_MS, undefined, { ref: false })])
  const channel = await internals(client)
    .getChannel()
    .catch(() => undefined)
  channel?.close()
}

/** A long-lived call of the streams service over the client's connection. */
export function openCall<Call extends Readable | Duplex>(
  client: EventStoreDBClient,
  name: string,
  open: (service: StreamsClient, metadata: Metadata, options: CallOptions) => Call,
): Promise<Call> {
  const { GRPCStreamCreator, callArguments } = internals(client)
  return GRPCStreamCreator(services.StreamsClient, name, (service) =>
    open(service, ...callArguments({}, { deadline: Number.POSITIVE_INFINITY })),
  )()
}

/** A call with one answer, which has the client's own deadline. It fails with gRPC's errors. */
export function callOnce<Service, Answer>(
  client: EventStoreDBClient,
  service: ServiceClass<Service>,
  name: string,
  call: (service: Service, metadata: Metadata, options: CallOptions, done: (error: ServiceError | null, answer: Answer) => void) => void,
): Promise<Answer> {
  const { execute, callArguments } = internals(client)
  return execute(
    service,
    name,
    (opened) =>
      new Promise((resolve, reject) =>
        call(opened, ...callArguments({}, {}), (error, answer) => (error ? reject(error) : resolve(answer))),
      ),
  )
}

/** Gives up the node that the client is connected to, as one that does not answer: its next call looks for the one that leads. */
export async function leaveNode(client: EventStoreDBClient): Promise<void> {
  const { getGRPCClient, handleError } = internals(client)
  const left = Object.assign(new Error('left'), { code: status.UNAVAILABLE, details: 'left', metadata: new Metadata() })
  await handleError(await getGRPCClient(services.StreamsClient, 'leave'), left)
}
