import type { Handler } from '../grpc/call.ts'
import {
  features,
  featuresService,
  gossipService,
  monitoringService,
  operationsService,
  persistentService,
  shared,
  streamsService,
  usersService,
} from './generated.ts'
import { unaryMessages } from './unary-messages.ts'

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
export function serverFeaturesRoutes(): [path: string, Handler][] {
  const response = new features.SupportedMethods()
  response.setEventStoreServerVersion(SERVER_VERSION)
  for (const service of SERVICES)
    for (const { path } of Object.values(service)) response.addMethods(supportedMethod(path.slice(1).toLowerCase()))
  return [[featuresService.getSupportedMethods.path, unaryMessages(shared.Empty, () => response)]]
}

function supportedMethod(path: string) {
  const [service, method] = path.split('/') as [string, string]
  const message = new features.SupportedMethod()
  message.setServiceName(service)
  message.setMethodName(method)
  message.setFeaturesList(service.includes('persistent_subscriptions') ? PERSISTENT_FEATURES : (FEATURES[path] ?? []))
  return message
}
