/** HTTP byte by byte, for what a well-behaved client would not send. */
import { connect } from 'node:net'
import type { ExecutionContext } from 'ava'

export type RawConnection = {
  send(bytes: string | Buffer): void
  /** Resolves once what was received matches; rejects when the server closes the connection before. */
  received(pattern: RegExp): Promise<string>
  /** Resolves with everything received once the server has closed the connection. */
  closed(): Promise<string>
}

export function openRaw(t: ExecutionContext, url: string): RawConnection {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  // a reset is one way to be closed, and 'close' follows
  socket.on('error', () => undefined)
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return {
    send: (bytes) => socket.write(bytes),
    received: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text)) return
          socket.off('data', look)
          resolve(text)
        }
        socket.on('data', look)
        look()
        void gone.then(() => reject(new Error(`closed after: ${text}`)))
      }),
    closed: async () => {
      await gone
      return text
    },
  }
}
