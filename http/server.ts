/** The HTTP server around the application: deadlines, bounds, and an orderly end. */
import { randomUUID } from 'node:crypto'
import { createServer, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type AppOptions, createApp } from './app.ts'
import { deadlines } from './deadline.ts'
import { Problem, type ProblemCode, problemDocument } from './problem.ts'

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than load balancers keep idle connections, so that it is they who close them. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
const HANDLER_TIMEOUT_MS = 30_000
const MAX_CONNECTIONS = 10_000
const CLOSE_TIMEOUT_MS = 10_000

export type ServerOptions = Omit<AppOptions, 'deadlines' | 'handlerTimeoutMs'> & {
  host: string
  /** 0 for any free one. */
  port: number
  handlerTimeoutMs?: number
}

export type RunningServer = {
  url: string
  /** Stops accepting, lets requests under way finish within a bound, and cuts off the rest. */
  close(): Promise<void>
}

/** Serves the routes once the returned promise resolves. @throws when the address cannot be listened on */
export async function serve({ host, port, handlerTimeoutMs = HANDLER_TIMEOUT_MS, ...options }: ServerOptions): Promise<RunningServer> {
  const bounds = deadlines()
  const handle = createApp({ ...options, handlerTimeoutMs, deadlines: bounds }).callback()
  let closing = false
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', (request, response) => {
    if (closing) response.setHeader('Connection', 'close')
    handle(request, response)
  })
  // the body is asked for only once it is known to be wanted
  server.on('checkContinue', handle)
  server.on('clientError', refuse)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        closing = true
        const cutOff = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS)
        server.close(() => {
          clearTimeout(cutOff)
          resolve()
        })
        bounds.close()
      }),
  }
}

const REFUSALS: { readonly [errorCode: string]: ProblemCode } = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** Answers what is not HTTP, or comes too slowly, before there is a request to speak of. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const problem = new Problem(REFUSALS[error.code ?? ''] ?? 'malformed_request', 'the connection is closed')
  const body = JSON.stringify(problemDocument(problem, randomUUID()))
  const { status } = problem
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/problem+json`
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
