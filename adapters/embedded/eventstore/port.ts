import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Server } from '@grpc/grpc-js'
import { ServerCredentials } from '@grpc/grpc-js'

/** How every HTTP/2 connection begins (RFC 9113, section 3.4). */
const HTTP2_PREFACE = 'PRI'
const FIRST_BYTES_TIMEOUT_MS = 10_000
const LOOPBACK = '127.0.0.1'

export type Port = { number: number; close(): Promise<void> }

/**
 * Listens on a loopback port (0 means any free one) that answers gRPC and, for health checks, HTTP/1.1: `/health/live` is 204 while
 * the server runs. Which of them a connection is shows in its first bytes.
 */
export async function openPort(grpc: Server, port: number): Promise<Port> {
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure())
  const health = createHttpServer((request, response) => {
    response.statusCode = request.url === '/health/live' ? 204 : 404
    response.end()
  })
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.once('error', () => socket.destroy())
    socket.setTimeout(FIRST_BYTES_TIMEOUT_MS, () => socket.destroy())
    socket.once('data', (first: Buffer) => {
      socket.pause()
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.unshift(first)
      if (first.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE) {
        injector.injectConnection(socket)
      } else {
        health.emit('connection', socket)
        socket.resume()
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, LOOPBACK, resolve)
  })
  return {
    number: (listener.address() as AddressInfo).port,
    close() {
      injector.destroy()
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return closed
    },
  }
}
