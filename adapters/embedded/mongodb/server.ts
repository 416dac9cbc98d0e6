import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Server } from './commands/command.ts'
import { type Budget, serveConnection } from './connection.ts'
import { createCursors } from './cursors.ts'
import { createDatabases } from './store/databases.ts'

export type EmbeddedMongo = {
  /** For the official driver, e.g. `mongodb://127.0.0.1:27017/?directConnection=true`. */
  url: string
  port: number
  /** Closes the connections too; the data is gone. */
  close(): Promise<void>
}

export type EmbeddedMongoOptions = {
  /** 0 for any free one. */
  port: number
  log?: (line: string) => void
  /** How long a client may leave its answers unread. */
  stalledMs?: number
}

const MAX_CONNECTIONS = 1_000
const EXPIRE_EVERY_MS = 60_000
const MAX_INCOMPLETE_BYTES = 256 * 1024 * 1024

/**
 * Speaks MongoDB's wire protocol (OP_MSG) on loopback, and keeps the documents in memory: for one machine, where read models are rebuilt
 * from the log of events.
 */
export async function startEmbeddedMongo(options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  const log = options.log ?? (() => {})
  const server: Server = { databases: createDatabases(), cursors: createCursors(Date.now), startedAt: Date.now(), log }
  const budget: Budget = { held: 0, limit: MAX_INCOMPLETE_BYTES }
  const sockets = new Set<Socket>()
  let connections = 0

  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    void serveConnection(socket, server, ++connections, { budget, stalledMs: options.stalledMs })
  })
  listener.maxConnections = MAX_CONNECTIONS
  listener.listen(options.port, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`
  log(`embedded mongodb: listening on ${url} (in memory, for one machine; set QUORATE_MONGODB_URL to use a real one)`)

  const expiry = setInterval(server.cursors.expire, EXPIRE_EVERY_MS).unref()

  return {
    url,
    port,
    async close() {
      clearInterval(expiry)
      const closed = once(listener, 'close')
      listener.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
