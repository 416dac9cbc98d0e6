/** The Koa application: from routes as data to answers and problems. */
import Router from '@koa/router'
import Koa from 'koa'
import type { Logger } from 'pino'
import { accessLog, type RequestState } from './access-log.ts'
import { discardBody } from './body.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { inFlightGuard } from './idempotency.ts'
import { addPlatformRoutes, type PlatformOptions } from './platform-routes.ts'
import { Problem, problemDocument, problemFrom } from './problem.ts'

export type AppOptions = Omit<EndpointOptions, 'guard'> & PlatformOptions

type Context = Koa.ParameterizedContext<RequestState>

export function createApp(options: AppOptions): Koa<RequestState> {
  const app = new Koa<RequestState>()
  const router = new Router<RequestState>({ strict: true, sensitive: true })
  const guard = inFlightGuard()
  for (const route of options.routes) {
    router.register(route.path, [route.method], endpoint(route, { ...options, guard }))
  }
  addPlatformRoutes(router, options)
  app.use(accessLog(options.logger, options.metrics))
  app.use(answerProblems(options.logger))
  app.use(refuseMalformedTarget)
  app.use(router.routes())
  app.use(unmatched(router))
  return app
}

/** Turns whatever is thrown into problem details, and logs what nobody expected. */
function answerProblems(logger: Logger): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const problem = problemFrom(error)
      const { correlationId } = ctx.state
      ctx.state.problem = problem.code
      if (problem.status === 500) logger.error({ correlationId, err: problem.cause ?? problem }, problem.code)
      else if (problem.status >= 500) logger.info({ correlationId, detail: problem.message }, problem.code)
      const reusable = await discardBody(ctx.req)
      ctx.status = problem.status
      ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store', ...problem.headers })
      if (!reusable) ctx.set('Connection', 'close')
      ctx.set('Content-Type', 'application/problem+json')
      ctx.body = JSON.stringify(problemDocument(problem, correlationId))
    }
  }
}

/** A path always passes; what stands in for it may be a whole URL (RFC 9112 §3.2.2). */
async function refuseMalformedTarget(ctx: Context, next: Koa.Next): Promise<void> {
  const target = ctx.req.url ?? ''
  if (!target.startsWith('/') && !URL.canParse(target)) throw new Problem('malformed_request', 'the request target is not a path')
  await next()
}

/** For what no route has taken: `OPTIONS`, a wrong method, an unknown path. */
function unmatched(router: Router<RequestState>): Koa.Middleware<RequestState> {
  return async (ctx) => {
    const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
    if (methods.size === 0) throw new Problem('not_found', 'no route has this path')
    const allow = [...methods, 'OPTIONS'].join(', ')
    if (ctx.method !== 'OPTIONS') throw new Problem('method_not_allowed', `this path takes ${allow}`, { headers: { Allow: allow } })
    ctx.set('Allow', allow)
    ctx.status = 204
  }
}
