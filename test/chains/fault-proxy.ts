/** A bad provider between a client and a node that speaks JSON-RPC over HTTP: it knows what is asked, so that it can fail at one method and not at another. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Fault =
  /** Answers so much later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Ends the connection before the node is asked. */
  | { readonly kind: 'cut' }
  /** Lets the node do it, and ends the connection instead of answering. */
  | { readonly kind: 'lose-answer' }
  /** Has the node do it twice, and answers with what it says the second time. */
  | { readonly kind: 'twice' }
  /** The answer that belongs to the request before. */
  | { readonly kind: 'answer-of-another' }
  /** Says how long the answer is, and ends the connection in the middle of it. */
  | { readonly kind: 'half-answer' }
  /** A whole answer of HTTP whose JSON ends in the middle. */
  | { readonly kind: 'truncated-json' }
  /** Answers for itself. */
  | { readonly kind: 'http'; readonly status: number; readonly body?: string; readonly headers?: { readonly [name: string]: string } }
  /** Answers with such a result, or error, in the node's place. */
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }

export type RpcRequest = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] }

export type FaultProxy = {
  /** With a path that looks like a key. */
  readonly url: string
  /** What befalls a request; undefined leaves it alone. */
  fault: (request: RpcRequest) => Fault | undefined
  /** What has been asked, oldest first. */
  readonly requests: RpcRequest[]
  close(): Promise<void>
}

/** What the URL of the proxy has in it, and nothing else should. */
export const KEY = 'c0ffee5ec2e7'

/** Listens on a free port of 127.0.0.1. */
export async function startFaultProxy(nodeUrl: string): Promise<FaultProxy> {
  const server = createServer(async (incoming, response) => {
    const body = await text(incoming)
    const request = JSON.parse(body) as RpcRequest
    proxy.requests.push(request)
    const fault = proxy.fault(request)
    if (fault?.kind === 'cut') return void incoming.socket.destroy()
    if (fault?.kind === 'http') return void response.writeHead(fault.status, fault.headers).end(fault.body)
    if (fault?.kind === 'result') return answer(response, JSON.stringify({ jsonrpc: '2.0', id: request.id, result: fault.result }))
    if (fault?.kind === 'error')
      return answer(response, JSON.stringify({ jsonrpc: '2.0', id: request.id, error: { code: fault.code, message: fault.message } }))
    if (fault?.kind === 'twice') await forwarded(nodeUrl, body)
    const result = await forwarded(nodeUrl, body)
    if (result === undefined || fault?.kind === 'lose-answer') return void incoming.socket.destroy()
    if (fault?.kind === 'answer-of-another') return answer(response, JSON.stringify({ ...JSON.parse(result), id: Number(request.id) - 1 }))
    if (fault?.kind === 'delay') return void setTimeout(() => answer(response, result), fault.ms)
    if (fault?.kind === 'truncated-json') return answer(response, result.slice(0, result.length / 2))
    if (fault?.kind !== 'half-answer') return answer(response, result)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(result.length) })
    response.write(result.slice(0, result.length / 2), () => incoming.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/${KEY}`,
    fault: () => undefined,
    requests: [],
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}

/** What the node answers; undefined when it does not. */
const forwarded = (nodeUrl: string, body: string): Promise<string | undefined> =>
  fetch(nodeUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
    (answered) => answered.text(),
    () => undefined,
  )

function answer(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body)
}
