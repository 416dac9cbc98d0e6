import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { ByteBudget } from './byte-budget.ts'
import { createMessageReader } from './messages.ts'
import { CallError, CODE, OK, type Status, trailersOf } from './status.ts'
import { parseTimeout } from './timeout.ts'

/** The answering side of a call. */
export type Call = {
  header(name: string): string | undefined
  /** Until the call has ended, by whomever. */
  isOpen(): boolean
  /** False while so much waits for callers to read it that no long answer should be begun. */
  hasRoom(): boolean
  /**
   * Sends framed messages; what is written in one turn of the event loop goes out together. False when the caller does not keep up: then
   * nothing should be written until `drained`.
   */
  write(framed: Buffer): boolean
  /** Ends the call, after what was written. */
  end(status?: Status): void
  /** Ends the call with the status of a `CallError`; any other error is the server's own. */
  fail(error: unknown): void
  /** Takes no more requests until `resume`; the caller is slowed down by HTTP/2's flow control. */
  pause(): void
  resume(): void
}

/** What a handler does with a call. Whatever it throws ends the call. */
export type Requests = {
  message(message: Buffer): void
  /** The caller sends no more. */
  end?(): void
  /** What was written has been sent, after a `write` that returned false. */
  drained?(): void
  /** Once, when the call has ended: answered, cancelled, too late, or cut off. Whatever was kept for it can go. */
  closed?(): void
}

export type Handler = (call: Call) => Requests

export type CallLimits = {
  /** Bytes of the largest message. */
  message: number
  /** For the messages of all calls that are incomplete. */
  incomplete: ByteBudget
  /** For the answers of all calls that callers do not take. */
  unsent: ByteBudget
}

const HEADERS = { ':status': 200, 'content-type': 'application/grpc+proto' }

/** gRPC has no use for a date. */
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false }
const WITHOUT_MESSAGES = { endStream: true, sendDate: false }

/** What is written at once; more than that is not waited for. */
const WRITE_BYTES = 32 * 1024

/** What may well be needed to begin an answer. */
const ROOM_BYTES = 4 * 1024 * 1024

/** `shutDown` ends a call that was answered in part as cancelled; one that was not may be tried elsewhere, or again. */
export type ServedCall = { shutDown(): void }

/** Runs one call on a stream of HTTP/2. `report` is told of errors that are not the caller's. */
export function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  handler: Handler,
  limits: CallLimits,
  report: (line: string) => void,
): ServedCall {
  let open = true
  let halfClosed = false
  let written: Buffer[] = []
  let writtenBytes = 0
  let flushScheduled = false
  let behind = false
  let unsent = 0
  let requests: Requests | undefined

  const reader = createMessageReader(limits.message, limits.incomplete, (message) => {
    if (open) requests?.message(message)
  })
  const timeout = parseTimeout(headers['grpc-timeout'] as string | undefined)
  const tooLate = () => end({ code: CODE.deadlineExceeded, details: 'the deadline has passed' })
  const deadline = timeout === undefined ? undefined : setTimeout(tooLate, timeout)

  function close(): boolean {
    if (!open) return false
    open = false
    clearTimeout(deadline)
    reader.close()
    requests?.closed?.()
    return true
  }

  function flush(): void {
    flushScheduled = false
    if (written.length === 0 || stream.destroyed || stream.writableEnded) return
    const bytes = written.length === 1 ? (written[0] as Buffer) : Buffer.concat(written, writtenBytes)
    written = []
    writtenBytes = 0
    if (!stream.headersSent) stream.respond(HEADERS, WITH_TRAILERS)
    if (stream.write(bytes)) return
    behind = true
    if (limits.unsent.take(bytes.length)) unsent += bytes.length
    else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  function sent(): void {
    limits.unsent.give(unsent)
    unsent = 0
  }

  function write(framed: Buffer): boolean {
    if (!open) return false
    written.push(framed)
    writtenBytes += framed.length
    if (writtenBytes >= WRITE_BYTES) {
      flush()
    } else if (!flushScheduled) {
      flushScheduled = true
      process.nextTick(flush)
    }
    return !behind
  }

  function end(status: Status = OK): void {
    if (!close() || stream.destroyed || stream.writableEnded) return
    flush()
    stream.resume()
    if (stream.headersSent) {
      stream.once('wantTrailers', () => {
        stream.sendTrailers(trailersOf(status))
        setImmediate(dismiss)
      })
      stream.end()
    } else {
      refuseCall(stream, status)
    }
  }

  /** Whoever still sends is told that nobody listens. */
  function dismiss(): void {
    if (!halfClosed) stream.close(constants.NGHTTP2_NO_ERROR)
  }

  function fail(error: unknown): void {
    if (error instanceof CallError) {
      end(error.status)
      return
    }
    report(`a call failed: ${error instanceof Error ? error.message : 'unknown error'}`)
    end({ code: CODE.unavailable, details: 'the server failed' })
  }

  function guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      fail(error)
    }
  }

  stream.on('data', (chunk: Buffer) => {
    if (open) guarded(() => reader.push(chunk))
  })
  stream.on('end', () => {
    halfClosed = true
    if (!open) return
    if (reader.incomplete()) end({ code: CODE.internal, details: 'the last message is incomplete' })
    else guarded(() => requests?.end?.())
  })
  stream.on('drain', () => {
    sent()
    behind = false
    if (open) guarded(() => requests?.drained?.())
  })
  // An error is followed by `close`, and says nothing that this does not.
  stream.on('error', close)
  stream.on('aborted', close)
  stream.on('close', () => {
    sent()
    close()
  })

  guarded(() => {
    requests = handler({
      header: (name) => headers[name] as string | undefined,
      isOpen: () => open,
      hasRoom: () => limits.unsent.left() >= ROOM_BYTES,
      write,
      end,
      fail,
      pause: () => open && stream.pause(),
      resume: () => open && stream.resume(),
    })
  })

  return {
    shutDown() {
      if (!stream.headersSent) end({ code: CODE.unavailable, details: 'the server stops' })
      else if (close()) stream.close(constants.NGHTTP2_CANCEL)
    },
  }
}

/** Answers a call with nothing but a status. */
export function refuseCall(stream: ServerHttp2Stream, status: Status): void {
  stream.respond({ ...HEADERS, ...trailersOf(status) }, WITHOUT_MESSAGES)
  stream.close(constants.NGHTTP2_NO_ERROR)
}
