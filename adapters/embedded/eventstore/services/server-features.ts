import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js'
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js'
import type { handleUnaryCall, ServiceDefinition } from '@grpc/grpc-js'
import {
  features,
  featuresService,
  gossipService,
  monitoringService,
  operationsService,
  persistentService,
  streamsService,
  usersService,
} from './generated.ts'

/** The release whose behaviour this server has. */
export const SERVER_VERSION = '23.10.6'

const SERVICES = [streamsService, persistentService, featuresService, gossipService, usersService, operationsService, monitoringService]

const FEATURES: Readonly<Record<string, string[]>> = {
  'event_store.client.streams.streams/batchappend': ['deadline_duration'],
  'event_store.client.streams.streams/read': ['position', 'events'],
}

/** Without these the client would manage groups over HTTP. */
const PERSISTENT_FEATURES = ['stream', 'all']

/** Clients ask this before their first append, and choose their calls by it. Names are in lower case. */
export function serverFeaturesHandlers(): { getSupportedMethods: handleUnaryCall<Empty, SupportedMethods> } {
  return {
    getSupportedMethods(_call, callback) {
      const response = new features.SupportedMethods()
      response.setEventStoreServerVersion(SERVER_VERSION)
      for (const service of SERVICES) for (const path of pathsOf(service as ServiceDefinition)) response.addMethods(supportedMethod(path))
      callback(null, response)
    },
  }
}

const pathsOf = (service: ServiceDefinition): string[] => Object.values(service).map(({ path }) => path.slice(1).toLowerCase())

function supportedMethod(path: string) {
  const [service, method] = path.split('/') as [string, string]
  const message = new features.SupportedMethod()
  message.setServiceName(service)
  message.setMethodName(method)
  message.setFeaturesList(service.includes('persistent_subscriptions') ? PERSISTENT_FEATURES : (FEATURES[path] ?? []))
  return message
}
