import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createBacklog } from './backlog.ts'
import { type Connection, serveConnection } from './connection.ts'
import type { Limits } from './parser.ts'
import { createRouter } from './router.ts'

const HOST = '127.0.0.1'
const MAX_CONNECTIONS = 512
const SUBSCRIPTIONS = { maxSubscriptions: 100_000, maxBytes: 96 * 1_048_576 }
const PING_INTERVAL_MS = 30_000
/** As in nats-server. */
const LIMITS: Limits = { maxControlLine: 4_096, maxPayload: 1_048_576 }
/** Less than the 64 MiB for each of nats-server, because this one shares its process with others. */
const BACKLOG = { maxDebtors: MAX_CONNECTIONS, maxEach: 16 * 1_048_576, maxAll: 128 * 1_048_576 }

/** `url` is `nats://127.0.0.1:PORT`. */
export type EmbeddedNats = { url: string; port: number; close(): Promise<void> }

export type EmbeddedNatsOptions = {
  /** 0 for any free one. */
  port: number
  log?: (line: string) => void
  pingIntervalMs?: number
}

/**
 * Serves core NATS (https://docs.nats.io/reference/reference-protocols/nats-protocol) on loopback, in this process:
 * publish, subscribe, queue groups, request/reply, headers. No authentication, no TLS, no clustering, no JetStream.
 */
export async function startEmbeddedNats({
  port,
  log = () => {},
  pingIntervalMs = PING_INTERVAL_MS,
}: EmbeddedNatsOptions): Promise<EmbeddedNats> {
  const router = createRouter(SUBSCRIPTIONS)
  const backlog = createBacklog(BACKLOG)
  const connections = new Set<Connection>()
  const serverId = randomBytes(16).toString('hex').toUpperCase()
  let clients = 0

  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (connections.size >= MAX_CONNECTIONS) {
      socket.on('error', () => {})
      socket.end("-ERR 'maximum connections exceeded'\r\n", () => socket.destroy())
      return
    }
    const id = ++clients
    const info = JSON.stringify({
      server_id: serverId,
      server_name: 'embedded',
      version: '2.9.10',
      proto: 1,
      host: HOST,
      port: address.port,
      headers: true,
      max_payload: LIMITS.maxPayload,
      client_id: id,
      client_ip: HOST,
    })
    const say = (line: string) => log(`embedded NATS: client ${id}: ${line}`)
    const connection = serveConnection(socket, { info, limits: LIMITS, router, backlog, log: say })
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  })

  server.listen(port, HOST)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const url = `nats://${HOST}:${address.port}`
  log(`embedded NATS, for one machine only, listens on ${url}`)
  server.on('error', (error) => log(`embedded NATS: ${error.message}`))
  const heartbeat = setInterval(() => {
    for (const connection of connections) connection.ping()
  }, pingIntervalMs)

  return {
    url,
    port: address.port,
    async close() {
      if (!server.listening) return
      clearInterval(heartbeat)
      const closed = once(server, 'close')
      server.close()
      for (const connection of connections) connection.close()
      await closed
    },
  }
}
