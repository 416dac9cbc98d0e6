/** A receiver of webhooks on this machine, over plain HTTP. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects to find in an event
export type Received = { headers: IncomingHttpHeaders; body: string; event: any }

/** What to answer: a status, with headers or a body if need be; or nothing at all, ever. */
export type Reply = number | { status: number; headers?: { [name: string]: string }; body?: string } | 'silence'

export type TestReceiver = {
  url: string
  /** In their order. */
  received: Received[]
  /** From now on. */
  reply(choose: (received: Received) => Reply): void
  until(holds: (received: readonly Received[]) => boolean): Promise<void>
}

const WITHIN_MS = 20_000

export async function startReceiver(t: ExecutionContext, choose: (received: Received) => Reply = () => 204): Promise<TestReceiver> {
  const received: Received[] = []
  let reply = choose
  let look = () => {}
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const one = { headers: request.headers, body, event: JSON.parse(body) }
    received.push(one)
    const chosen = reply(one)
    if (chosen !== 'silence') {
      const { status, headers = {}, body: said } = typeof chosen === 'number' ? { status: chosen } : chosen
      response.writeHead(status, headers).end(said)
    }
    look()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    reply(next) {
      reply = next
    },
    until: (holds) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`received ${received.length} within ${WITHIN_MS} ms`)), WITHIN_MS)
        look = () => {
          if (!holds(received)) return
          clearTimeout(late)
          resolve()
        }
        look()
      }),
  }
}
