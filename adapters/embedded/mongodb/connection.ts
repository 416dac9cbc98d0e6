import type { Socket } from 'node:net'
import type { Server } from './commands/command.ts'
import { answer } from './commands/dispatch.ts'
import { createFrameSplitter, ProtocolViolation } from './wire/frames.ts'
import { decodeRequest, encodeReply } from './wire/messages.ts'

/** Bytes of incomplete messages that all connections together may hold. */
export type Budget = { held: number; readonly limit: number }

const DEPARTURES = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'])

/** A message that has begun must be complete within this time. */
const MESSAGE_TIMEOUT_MS = 30_000

/** Waits while the client does not take what was written before; a connection that closes ends the wait. */
function send(socket: Socket, message: Buffer): Promise<void> | undefined {
  if (socket.write(message) || socket.destroyed) return undefined
  return new Promise((resolve) => {
    const proceed = () => {
      socket.off('drain', proceed).off('close', proceed)
      resolve()
    }
    socket.once('drain', proceed).once('close', proceed)
  })
}

/** The client went away in the middle of something, which is its right. */
const isDeparture = (error: unknown): boolean => error instanceof Error && 'code' in error && DEPARTURES.has(error.code)

/** Serves one client until it leaves. Nothing more is read from it while it does not take its answers. */
export async function serveConnection(socket: Socket, server: Server, connectionId: number, budget: Budget): Promise<void> {
  const splitter = createFrameSplitter()
  let held = 0
  const hold = (bytes: number): void => {
    budget.held += bytes - held
    held = bytes
    socket.setTimeout(bytes > 0 ? MESSAGE_TIMEOUT_MS : 0)
    if (bytes > 0 && budget.held > budget.limit) throw new ProtocolViolation('too many bytes of incomplete messages')
  }
  socket.setNoDelay(true)
  socket.on('timeout', () => socket.destroy())
  try {
    for await (const chunk of socket) {
      for (const frame of splitter.push(chunk)) {
        const request = decodeRequest(frame)
        const reply = answer(server, connectionId, request)
        if (request.dialect !== 'none') await send(socket, encodeReply(request.requestId, request.dialect, reply))
      }
      if (splitter.pending !== held) hold(splitter.pending)
    }
  } catch (error) {
    if (!isDeparture(error)) server.log(`embedded mongodb: connection ${connectionId} closed: ${String(error)}`)
  } finally {
    budget.held -= held
    socket.destroy()
  }
}
