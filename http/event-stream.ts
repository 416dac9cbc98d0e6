/** Answers without an end: sent as fast as they are read, and no faster. */
import type { ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { RequestState } from './access-log.ts'
import type { EventStream } from './route.ts'

/** The reader's token may be good no longer; it comes again with another one. */
const LONGEST_MS = 60 * 60_000

/** Sends until the chunks end, the reader is gone or cut off, or the server closes. */
export async function sendEventStream(ctx: Koa.ParameterizedContext<RequestState>, stream: EventStream, closing: AbortSignal) {
  const { res } = ctx
  const gone = new AbortController()
  const leave = () => gone.abort()
  res.once('close', leave)
  if (res.destroyed) leave()
  const signal = AbortSignal.any([closing, gone.signal, AbortSignal.timeout(LONGEST_MS)])
  try {
    if (ctx.method === 'HEAD') {
      ctx.set(headersOf(stream))
      ctx.status = 200
      return
    }
    const chunks = stream.begin({ signal, buffered: () => res.writableLength })
    ctx.respond = false
    ctx.state.streamed = true
    res.writeHead(200, headersOf(stream))
    res.flushHeaders()
    for await (const chunk of chunks) {
      if (res.destroyed) return
      if (res.write(chunk) || (await drained(res, stream.stalledMs, gone.signal))) continue
      if (gone.signal.aborted) return
      ctx.state.problem = 'reader_stalled'
      stream.onStalled()
      res.destroy()
      return
    }
    if (stream.endsByItself && signal.aborted) res.destroy()
    else res.end()
  } catch (error) {
    if (res.headersSent) res.destroy()
    throw error
  } finally {
    res.off('close', leave)
  }
}

/** The connection is over with the stream; proxies are asked to hold nothing back. */
const headersOf = ({ mediaType }: EventStream) => ({
  'Content-Type': mediaType,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Accel-Buffering': 'no',
  Connection: 'close',
})

/** Whether the response takes more within the time. */
function drained(response: ServerResponse, milliseconds: number, gone: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean) => () => {
      clearTimeout(timer)
      response.off('drain', taking)
      gone.removeEventListener('abort', giveUp)
      resolve(taken)
    }
    const taking = settle(true)
    const giveUp = settle(false)
    const timer = setTimeout(giveUp, milliseconds)
    response.on('drain', taking)
    gone.addEventListener('abort', giveUp)
    if (gone.aborted) giveUp()
  })
}
