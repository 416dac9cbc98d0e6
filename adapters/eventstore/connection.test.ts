import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { closeClient, openClient, WINDOW_BYTES } from './connection.ts'

test('a server may send as much as the window says before the client has read it, over a connection and in each of its calls', async (t) => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = openClient(`esdb://127.0.0.1:${(server.address() as AddressInfo).port}?tls=false`)
  const sessions: ServerHttp2Session[] = []
  t.teardown(async () => {
    await closeClient(client)
    for (const session of sessions) session.destroy()
    server.close()
  })

  const opened = once(server, 'session')
  client
    .readStream('any')
    .resume()
    .on('error', () => {})
  const [session] = (await opened) as [ServerHttp2Session]
  sessions.push(session)
  await once(session, 'stream')

  t.is(session.remoteSettings.initialWindowSize, WINDOW_BYTES)
  t.is(session.state.remoteWindowSize, WINDOW_BYTES)
})
