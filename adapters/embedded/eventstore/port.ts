import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** How every HTTP/2 connection begins (RFC 9113, section 3.4). */
const HTTP2_PREFACE = Buffer.from('PRI')
const LOOPBACK = '127.0.0.1'

/** Connections at the same time; more are closed at once. */
const MOST_CONNECTIONS = 1024

/** A connection must begin within this time, and one of HTTP/1.1 is over after the other. */
const FIRST_BYTES_TIMEOUT_MS = 10_000
const HEALTH_TIMEOUT_MS = 30_000

/** The number is of a message inside the real server, and differs from version to version there. */
const PONG = JSON.stringify({ msgTypeId: 0, text: 'Ping request successfully handled' })

export type Port = { number: number; close(): Promise<void> }

/**
 * Listens on a loopback port (0 means any free one) that answers HTTP/2 and, for health checks, HTTP/1.1: `/health/live` is 204 while
 * the server runs, and `/ping` answers as the real server's does. Which of them a connection is shows in its first bytes.
 */
export async function openPort(acceptHttp2: (socket: Socket) => void, port: number): Promise<Port> {
  const health = createHttpServer(({ method, url }, response) => {
    if (method === 'GET' && url === '/ping') response.setHeader('content-type', 'application/json').end(PONG)
    else response.writeHead(url === '/health/live' ? 204 : 404).end()
  })
  const sockets = new Set<Socket>()

  function sort(socket: Socket): void {
    let first = Buffer.alloc(0)
    const late = setTimeout(() => socket.destroy(), FIRST_BYTES_TIMEOUT_MS)
    socket.once('close', () => clearTimeout(late))
    socket.on('data', function gather(chunk: Buffer) {
      first = Buffer.concat([first, chunk])
      const compared = first.subarray(0, HTTP2_PREFACE.length)
      const isHttp2 = compared.equals(HTTP2_PREFACE)
      if (!isHttp2 && HTTP2_PREFACE.subarray(0, compared.length).equals(compared)) return
      socket.removeListener('data', gather)
      socket.pause()
      socket.unshift(first)
      clearTimeout(late)
      if (isHttp2) acceptHttp2(socket)
      else answerHealth(socket)
    })
  }

  function answerHealth(socket: Socket): void {
    const late = setTimeout(() => socket.destroy(), HEALTH_TIMEOUT_MS)
    socket.once('close', () => clearTimeout(late))
    health.emit('connection', socket)
    socket.resume()
  }

  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    sort(socket)
  })
  listener.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, LOOPBACK, resolve)
  })
  return {
    number: (listener.address() as AddressInfo).port,
    close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return closed
    },
  }
}
