import { createRequire } from 'node:module'
import type * as GossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import type * as GossipMessages from '@eventstore/db-client/generated/gossip_pb.js'
import type * as MonitoringService from '@eventstore/db-client/generated/monitoring_grpc_pb.js'
import type * as MonitoringMessages from '@eventstore/db-client/generated/monitoring_pb.js'
import type * as OperationsService from '@eventstore/db-client/generated/operations_grpc_pb.js'
import type * as OperationsMessages from '@eventstore/db-client/generated/operations_pb.js'
import type * as PersistentService from '@eventstore/db-client/generated/persistent_grpc_pb.js'
import type * as PersistentMessages from '@eventstore/db-client/generated/persistent_pb.js'
import type * as FeaturesService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import type * as FeaturesMessages from '@eventstore/db-client/generated/serverfeatures_pb.js'
import type * as SharedMessages from '@eventstore/db-client/generated/shared_pb.js'
import type * as StatusMessages from '@eventstore/db-client/generated/status_pb.js'
import type * as StreamsService from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type * as StreamsMessages from '@eventstore/db-client/generated/streams_pb.js'
import type * as UsersService from '@eventstore/db-client/generated/users_grpc_pb.js'

// CommonJS that only the client package can see, so it is resolved from there.
const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const generated = <T>(name: string): T => load(`../generated/${name}.js`) as T

export const streams = generated<typeof StreamsMessages>('streams_pb')
export const persistent = generated<typeof PersistentMessages>('persistent_pb')
export const shared = generated<typeof SharedMessages>('shared_pb')
export const status = generated<typeof StatusMessages>('status_pb')
export const features = generated<typeof FeaturesMessages>('serverfeatures_pb')
export const gossip = generated<typeof GossipMessages>('gossip_pb')
export const monitoring = generated<typeof MonitoringMessages>('monitoring_pb')
export const operations = generated<typeof OperationsMessages>('operations_pb')

export const { StreamsService: streamsService } = generated<typeof StreamsService>('streams_grpc_pb')
export const { PersistentSubscriptionsService: persistentService } = generated<typeof PersistentService>('persistent_grpc_pb')
export const { ServerFeaturesService: featuresService } = generated<typeof FeaturesService>('serverfeatures_grpc_pb')
export const { GossipService: gossipService } = generated<typeof GossipService>('gossip_grpc_pb')
export const { MonitoringService: monitoringService } = generated<typeof MonitoringService>('monitoring_grpc_pb')
export const { OperationsService: operationsService } = generated<typeof OperationsService>('operations_grpc_pb')
export const { UsersService: usersService } = generated<typeof UsersService>('users_grpc_pb')

/** The classes of google.protobuf that the generated ones use. */
export const { Any } = load('google-protobuf/google/protobuf/any_pb.js') as typeof import('google-protobuf/google/protobuf/any_pb.js')
export const { Empty } = load('google-protobuf/google/protobuf/empty_pb.js') as typeof import('google-protobuf/google/protobuf/empty_pb.js')
export const { Timestamp } = load(
  'google-protobuf/google/protobuf/timestamp_pb.js',
) as typeof import('google-protobuf/google/protobuf/timestamp_pb.js')
