import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import { type EmbeddedNatsOptions, startEmbeddedNats } from '../server.ts'

/** What a client says first that wants no acknowledgements. */
export const QUIET = 'CONNECT {"verbose":false,"pedantic":false}\r\n'

/** A server that stops with the test. */
export async function start(t: ExecutionContext, options: Partial<EmbeddedNatsOptions> = {}) {
  const server = await startEmbeddedNats({ port: 0, ...options })
  t.teardown(() => server.close())
  return server
}

/** A connection that says nothing of its own accord. */
export async function dial(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Everything that the server says until it ends the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  await once(socket, 'close')
  return text
}
