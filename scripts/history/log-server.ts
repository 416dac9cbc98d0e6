import { parentPort, workerData } from 'node:worker_threads'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'

/** The embedded event store on a thread of its own, so that it answers while what it has answered is being worked on. */
const server = await startEmbeddedEventStore({ port: 0, dataDir: workerData as string })
parentPort?.once('message', async () => {
  await server.close()
  parentPort?.close()
})
parentPort?.postMessage(server.url)
