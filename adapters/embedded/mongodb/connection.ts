import type { Socket } from 'node:net'
import type { Server } from './commands/command.ts'
import { answer } from './commands/dispatch.ts'
import { createFrameSplitter, ProtocolViolation } from './wire/frames.ts'
import { decodeRequest, encodeOneOfMany, encodeReply, type Request } from './wire/messages.ts'

/** Bytes of incomplete messages that all connections together may hold. */
export type Budget = { held: number; readonly limit: number }

export type ConnectionLimits = { budget: Budget; stalledMs?: number | undefined }

const DEPARTURES = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'])

/** A message that has begun must be complete within this time. */
const MESSAGE_TIMEOUT_MS = 30_000

/** A client that takes nothing of its answers for this long is cut off. */
const STALLED_MS = 60_000

/** Waits while the client does not take what was written before; a connection that closes ends the wait. */
function send(socket: Socket, message: Buffer, stalledMs: number): Promise<void> | undefined {
  if (socket.write(message) || socket.destroyed) return undefined
  socket.setTimeout(stalledMs)
  return new Promise((resolve) => {
    const proceed = () => {
      socket.off('drain', proceed).off('close', proceed).setTimeout(0)
      resolve()
    }
    socket.once('drain', proceed).once('close', proceed)
  })
}

/** The client went away in the middle of something, which is its right. */
const isDeparture = (error: unknown): boolean => error instanceof Error && 'code' in error && DEPARTURES.has(error.code)

const MIN_AWAIT_MS = 50
const MAX_AWAIT_MS = 60_000

/** How long a monitoring client wants the server to wait before it says again that nothing has changed; undefined when it asks but once. */
function awaitMs(request: Request): number | undefined {
  if (request.dialect !== 'stream' || !('body' in request) || request.body.topologyVersion === undefined) return undefined
  const { maxAwaitTimeMS } = request.body
  return typeof maxAwaitTimeMS === 'number' ? Math.min(Math.max(maxAwaitTimeMS, MIN_AWAIT_MS), MAX_AWAIT_MS) : undefined
}

/** Serves one client until it leaves. Nothing more is read from it while it does not take its answers. */
export async function serveConnection(
  socket: Socket,
  server: Server,
  connectionId: number,
  { budget, stalledMs = STALLED_MS }: ConnectionLimits,
): Promise<void> {
  const splitter = createFrameSplitter()
  let held = 0
  const hold = (bytes: number): void => {
    budget.held += bytes - held
    held = bytes
    socket.setTimeout(bytes > 0 ? MESSAGE_TIMEOUT_MS : 0)
    if (bytes > 0 && budget.held > budget.limit) throw new ProtocolViolation('too many bytes of incomplete messages')
  }
  let heartbeat: NodeJS.Timeout | undefined
  /** The topology of one server never changes: the same answer time and again, so that the client sees at once when it is gone. */
  const monitor = (request: Request, milliseconds: number): void => {
    clearInterval(heartbeat)
    heartbeat = setInterval(() => {
      if (!socket.writableNeedDrain) socket.write(encodeOneOfMany(request.requestId, answer(server, connectionId, request)))
    }, milliseconds)
  }
  socket.setNoDelay(true)
  socket.on('timeout', () => socket.destroy())
  try {
    for await (const chunk of socket) {
      for (const frame of splitter.push(chunk)) {
        const request = decodeRequest(frame)
        const patience = awaitMs(request)
        if (patience !== undefined) {
          monitor(request, patience)
          continue
        }
        const reply = answer(server, connectionId, request)
        if (request.dialect !== 'none') await send(socket, encodeReply(request.requestId, request.dialect, reply), stalledMs)
      }
      if (splitter.pending !== held) hold(splitter.pending)
    }
  } catch (error) {
    if (!isDeparture(error)) server.log(`embedded mongodb: connection ${connectionId} closed: ${String(error)}`)
  } finally {
    clearInterval(heartbeat)
    budget.held -= held
    socket.destroy()
  }
}
