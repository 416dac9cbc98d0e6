/** Routes about the service itself, open to all who can reach the port. */
import type Router from '@koa/router'
import type Koa from 'koa'
import type { Logger } from 'pino'
import type { RequestState } from './access-log.ts'
import { DOCS_CONTENT_SECURITY_POLICY, docsPage } from './docs-page.ts'
import { type ReadinessCheck, readiness } from './health.ts'
import type { Metrics } from './metrics.ts'
import { openApiDocument } from './openapi.ts'
import type { Route } from './route.ts'

export type PlatformOptions = {
  routes: readonly Route[]
  checks: readonly ReadinessCheck[]
  metrics: Metrics
  logger: Logger
  /** Of the application, as OpenAPI tells it. */
  version: string
  /** Keys that webhooks are signed with, as a JWK Set (RFC 7517). */
  publicKeys?: (() => Promise<object>) | undefined
}

/** Adds health, readiness, metrics, the OpenAPI document of the routes, and the page made of it. */
export function addPlatformRoutes(
  router: Router<RequestState>,
  { routes, version, checks, metrics, logger, publicKeys }: PlatformOptions,
): void {
  const ready = readiness(checks, logger)
  const openapi = openApiDocument(routes, version)
  const document = JSON.stringify(openapi)
  const page = docsPage(openapi)
  const add = (path: string, answer: (ctx: Koa.ParameterizedContext<RequestState>) => void | Promise<void>) =>
    router.register(path, ['GET'], async (ctx) => {
      ctx.state.route = `GET ${path}`
      ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' })
      await answer(ctx)
    })

  add('/healthz', (ctx) => {
    ctx.body = { status: 'alive' }
  })
  add('/readyz', async (ctx) => {
    const result = await ready()
    ctx.status = result.status === 'ready' ? 200 : 503
    ctx.body = result
  })
  add('/metrics', async (ctx) => {
    ctx.set('Content-Type', metrics.registry.contentType)
    ctx.body = await metrics.registry.metrics()
  })
  add('/openapi.json', (ctx) => {
    ctx.set('Content-Type', 'application/json; charset=utf-8')
    ctx.body = document
  })
  if (publicKeys)
    add('/.well-known/jwks.json', async (ctx) => {
      const document = JSON.stringify(await publicKeys())
      ctx.set({ 'Content-Type': 'application/jwk-set+json', 'Cache-Control': 'public, max-age=60' })
      ctx.body = document
    })
  add('/docs', (ctx) => {
    ctx.set({ 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': DOCS_CONTENT_SECURITY_POLICY })
    ctx.body = page
  })
}
