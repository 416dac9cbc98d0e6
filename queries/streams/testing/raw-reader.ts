import { once } from 'node:events'
import { connect } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { RunningApp } from '../../../http/testing/running-app.ts'

/** Counts the events of a stream and looks at none of them, so that many fit into a test. */
export type RawReader = {
  /** Resolves when so many have come. */
  until(count: number): Promise<void>
}

const END_OF_EVENT = '}\n'

export async function openRawReader(t: ExecutionContext, app: RunningApp, path: string): Promise<RawReader> {
  const { hostname, port, host } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  const authorization = `Bearer ${await app.token({ tenant: 'acme', roles: ['data'] })}`
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\nAccept: application/x-ndjson\r\n\r\n`)
  let events = 0
  let look = () => {}
  let last: Buffer = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    // An end may come in two parts.
    if (last.length > 0 && last[0] === END_OF_EVENT.charCodeAt(0) && bytes[0] === END_OF_EVENT.charCodeAt(1)) events++
    for (let at = bytes.indexOf(END_OF_EVENT); at >= 0; at = bytes.indexOf(END_OF_EVENT, at + 2)) events++
    last = bytes.subarray(-1)
    look()
  })
  return {
    until: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (events >= count) resolve()
        }
        look()
      }),
  }
}
