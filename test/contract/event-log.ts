import { createRequire } from 'node:module'
import type * as FeaturesService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import type * as SharedMessages from '@eventstore/db-client/generated/shared_pb.js'
import { credentials } from '@grpc/grpc-js'
import type { TestFn } from 'ava'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { appendContract } from './event-log-appends.ts'
import { consumerContract } from './event-log-consumers.ts'
import { outageContract } from './event-log-outages.ts'
import { readContract } from './event-log-reads.ts'
import { subscriptionContract } from './event-log-subscriptions.ts'
import type { EventLogServer, Suite } from './event-log-suite.ts'

// CommonJS that only the client package can see.
const load = createRequire(import.meta.url)
const { ServerFeaturesClient } = load('@eventstore/db-client/generated/serverfeatures_grpc_pb.js') as typeof FeaturesService
const { Empty } = load('@eventstore/db-client/generated/shared_pb.js') as typeof SharedMessages

/** An append or a read fails after so long without an answer. */
const DEADLINE_MS = 5_000

/** What Quorate relies on in an event log, whichever server answers. `name` is shown in the titles. */
export function eventLogContract(test: TestFn<unknown>, name: string, start: () => Promise<EventLogServer>): void {
  let server: EventLogServer
  let connected: EventLog
  const connect = () => connectEventLog({ url: server.url, deadlineMs: DEADLINE_MS })
  test.before(async (t) => {
    server = await start()
    connected = connect()
    t.log(`${name}: EventStoreDB ${await versionOf(server.url)}`)
  })
  test.after.always(async () => {
    await connected?.close()
    await server?.close()
  })
  const suite: Suite = {
    // One after the other: some stop the server, and some keep it busy.
    define: (title, body) => test.serial(`${name}: ${title}`, body),
    defineOutage: (title, body) =>
      test.serial(`${name}: ${title}`, async (t) => {
        if (server.outage) return await body(t, server.outage)
        t.log('the server is not ours to stop')
        t.pass()
      }),
    log: () => connected,
    connect,
    url: () => server.url,
  }
  for (const contract of [appendContract, readContract, subscriptionContract, consumerContract, outageContract]) contract(suite)
}

/** The version that the server gives itself. */
async function versionOf(url: string): Promise<string> {
  const { hostname, port, searchParams } = new URL(url.replace(/^esdb(\+discover)?:/, 'http:'))
  const secure = searchParams.get('tls') !== 'false'
  const features = new ServerFeaturesClient(`${hostname}:${port || 2113}`, secure ? credentials.createSsl() : credentials.createInsecure())
  try {
    return await new Promise((resolve, reject) => {
      features.getSupportedMethods(new Empty(), (error, answer) => (error ? reject(error) : resolve(answer.getEventStoreServerVersion())))
    })
  } finally {
    features.close()
  }
}
