/** One line per request, and its metrics. Never a token, a body, an intent or a query string. */
import type Koa from 'koa'
import type { Logger } from 'pino'
import type { Metrics } from './metrics.ts'
import { correlationIdFrom } from './request-headers.ts'
import type { Principal } from './route.ts'

/** What is learnt about a request while it is handled. */
export type RequestState = { correlationId: string; route?: string; principal?: Principal; problem?: string; streamed?: true }

/** Names the request, and records how it went once the answer is out or the client gone. */
export function accessLog(logger: Logger, metrics: Metrics): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    const started = process.hrtime.bigint()
    ctx.state.correlationId = correlationIdFrom(ctx.req.headers)
    ctx.set('X-Correlation-Id', ctx.state.correlationId)
    ctx.res.once('close', () => {
      const { correlationId, route = 'unmatched', principal, problem, streamed } = ctx.state
      const milliseconds = Number(process.hrtime.bigint() - started) / 1e6
      const status = ctx.res.writableFinished ? ctx.res.statusCode : CLIENT_GONE
      // How long somebody listened says nothing of how fast requests are answered.
      if (!streamed) metrics.observe(route, status, milliseconds / 1000)
      logger.info(
        {
          correlationId,
          method: ctx.req.method,
          route,
          path: pathOf(ctx.req.url),
          status,
          milliseconds: Math.round(milliseconds * 100) / 100,
          tenant: principal?.tenant,
          sub: principal?.sub,
          problem,
        },
        'request',
      )
    })
    await next()
  }
}

/** Logged when the client has not waited for the answer. */
const CLIENT_GONE = 499

function pathOf(url = ''): string {
  const end = url.indexOf('?')
  return (end < 0 ? url : url.slice(0, end)).slice(0, 200)
}
