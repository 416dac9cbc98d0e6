import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test from 'ava'
import { startEmbeddedNats } from '../embedded/nats/server.ts'
import { connectMessages } from './messages.ts'

const MESSAGE = Buffer.alloc(1_048_576)

/** Greets, answers the first PING, and then reads nothing more. */
function startDeafBroker() {
  let socket: Socket | undefined
  const server = createServer((each) => {
    socket = each.on('error', () => {})
    each.write('INFO {"server_id":"deaf","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576}\r\n')
    each.on('data', (chunk) => {
      if (!chunk.includes('PING')) return
      each.write('PONG\r\n')
      each.pause()
    })
  })
  server.listen(0, '127.0.0.1')
  function close(): void {
    socket?.destroy()
    server.close()
  }
  return { server, close }
}

test('publications to a broker that does not read are dropped, not piled up', async (t) => {
  const broker = startDeafBroker()
  await once(broker.server, 'listening')
  const { port } = broker.server.address() as AddressInfo
  const messages = await connectMessages({ url: `nats://127.0.0.1:${port}`, name: 'test' })
  const before = process.memoryUsage()
  for (let i = 0; i < 500; i++) {
    messages.publish('a', MESSAGE)
    if (i % 10 === 0) await new Promise(setImmediate)
  }
  const after = process.memoryUsage()
  t.true(after.arrayBuffers - before.arrayBuffers < 100 * 1_048_576, `${after.arrayBuffers - before.arrayBuffers} bytes more`)
  broker.close()
  await messages.close()
})

test('publications to a broker that reads all arrive, however many in all', async (t) => {
  const server = await startEmbeddedNats({ port: 0 })
  const messages = await connectMessages({ url: server.url, name: 'test' })
  let heard = 0
  messages.subscribe('a', () => heard++)
  for (let i = 0; i < 60; i++) {
    messages.publish('a', MESSAGE)
    if (i % 10 === 9) await messages.ping()
  }
  await messages.ping()
  t.is(heard, 60)
  await messages.close()
  await server.close()
})
