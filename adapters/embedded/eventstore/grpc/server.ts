import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { createByteBudget } from './byte-budget.ts'
import { type CallLimits, type Handler, refuseCall, type ServedCall, serveCall } from './call.ts'
import { CODE } from './status.ts'

/** Handlers by path: `/package.Service/Method`. */
export type Routes = ReadonlyMap<string, Handler>

export type GrpcServer = {
  /** Serves a connection that begins with the preface of HTTP/2. */
  accept(socket: Socket): void
  /** Ends all calls and connections. Resolves when these are closed. */
  close(): Promise<void>
}

/** Larger messages are refused when their prefix has been read. */
const MESSAGE_BYTES = 17 * 1024 * 1024

/** Of all calls together: for messages that are incomplete, and for answers that nobody reads. */
const INCOMPLETE_BYTES = 256 * 1024 * 1024
const UNSENT_BYTES = 128 * 1024 * 1024

/** Of one connection, and of all. */
const CALLS_PER_CONNECTION = 4096
const MOST_CALLS = 8192

/** What a caller may send before it is read: of one call (a large append at once), and of a connection. */
const CALL_WINDOW_BYTES = 2 * 1024 * 1024
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024

const SETTINGS = { initialWindowSize: CALL_WINDOW_BYTES, maxConcurrentStreams: CALLS_PER_CONNECTION, maxHeaderListSize: 64 * 1024 }

/** Beyond this a connection may open no more calls. In megabytes. */
const CONNECTION_MEMORY = 128

/** Who does not answer a ping until the next one is due has gone. */
const PING_INTERVAL_MS = 30_000

/** For callers to take the last answers. */
const GOODBYE_MS = 500

/** Serves gRPC over HTTP/2 without TLS (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md). Messages come and go as bytes. */
export function createGrpcServer(routes: Routes, report: (line: string) => void): GrpcServer {
  const limits: CallLimits = {
    message: MESSAGE_BYTES,
    incomplete: createByteBudget(INCOMPLETE_BYTES),
    unsent: createByteBudget(UNSENT_BYTES),
  }
  const http = createServer({ settings: SETTINGS, maxSessionMemory: CONNECTION_MEMORY })
  const sessions = new Map<ServerHttp2Session, { answered: boolean }>()
  const calls = new Map<ServerHttp2Stream, ServedCall | undefined>()

  http.on('session', (session) => {
    const life = { answered: true }
    sessions.set(session, life)
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    session.once('close', () => sessions.delete(session))
  })
  // What is no HTTP/2 ends its connection, and that is all there is to it.
  http.on('sessionError', () => {})

  const pings = setInterval(() => {
    for (const [session, life] of sessions) {
      // Between its end and its `close` it is still in the list, and refuses to ping.
      if (session.destroyed) continue
      if (!life.answered) {
        session.destroy()
        continue
      }
      life.answered = false
      session.ping(() => {
        life.answered = true
      })
    }
  }, PING_INTERVAL_MS)
  pings.unref()

  http.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    calls.set(stream, undefined)
    stream.on('error', () => {})
    stream.once('close', () => calls.delete(stream))
    if (headers[':method'] !== 'POST') return refuseRequest(stream, constants.HTTP_STATUS_METHOD_NOT_ALLOWED)
    if (!headers['content-type']?.startsWith('application/grpc')) return refuseRequest(stream, constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE)
    if (calls.size > MOST_CALLS) return refuseCall(stream, { code: CODE.resourceExhausted, details: 'there are too many calls' })
    const handler = routes.get(headers[':path'] as string)
    if (!handler) return refuseCall(stream, { code: CODE.unimplemented, details: 'there is no such method' })
    calls.set(stream, serveCall(stream, headers, handler, limits, report))
  })

  return {
    accept: (socket) => void http.emit('connection', socket),
    async close() {
      clearInterval(pings)
      for (const call of calls.values()) call?.shutDown()
      await Promise.all([...sessions.keys()].map(closeSession))
    },
  }
}

/** Answers what is no call of gRPC. */
function refuseRequest(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': status }, { endStream: true })
  stream.close(constants.NGHTTP2_NO_ERROR)
}

function closeSession(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const impatient = setTimeout(() => session.destroy(), GOODBYE_MS)
    session.once('close', () => {
      clearTimeout(impatient)
      resolve()
    })
    session.close()
  })
}
