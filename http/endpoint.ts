/** One route at work: from a request to its handler, and from the handler's answer to the response. */
import type Koa from 'koa'
import type { RequestState } from './access-log.ts'
import { type Authenticate, authorise } from './authentication.ts'
import { parseJsonObject, readBody } from './body.ts'
import type { Deadlines } from './deadline.ts'
import { sendEventStream } from './event-stream.ts'
import { commandIdOf, type InFlightGuard, requestDigestOf } from './idempotency.ts'
import { noSuch, Problem } from './problem.ts'
import { checkQuery, queryParametersOf } from './query-parameters.ts'
import * as headers from './request-headers.ts'
import type { Answer, Route, RouteRequest } from './route.ts'
import { refuseFields, validate } from './validation.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/
const NO_BODY = Buffer.alloc(0)
/** Whoever keeps what is answered from says every second that it is current, give or take what a message needs. */
const CURRENT_WITHIN_MS = 1_500

export type EndpointOptions = {
  authenticate: Authenticate
  deadlines: Deadlines
  /** How long a handler may take, time asked for with `Prefer: wait` not counted. */
  handlerTimeoutMs: number
  guard: InFlightGuard
  /** That requests are digested under: what is in the digests that events keep cannot be guessed without it. */
  requestKey?: Uint8Array
}

type Context = Koa.ParameterizedContext<RequestState>
type Identifiers = { [name: string]: string }

/** Authenticates, authorises, checks everything that was sent, and only then calls the handler. */
export function endpoint(route: Route, { authenticate, deadlines, handlerTimeoutMs, guard, requestKey }: EndpointOptions) {
  const name = `${route.method} ${route.path}`
  const parameters = queryParametersOf(route)
  return async (ctx: Context & { params: Identifiers }): Promise<void> => {
    ctx.state.route = name
    const principal = await authenticate(ctx.req.headers.authorization)
    ctx.state.principal = principal
    authorise(route, principal)
    const params = identifiers(ctx.params, ctx.path, route)
    const query = checkQuery(ctx.querystring, parameters)
    const preferWaitSeconds = route.waits ? headers.preferWaitSecondsFrom(ctx.req.headers) : 0
    const answer = await deadlines.run(ctx.res, handlerTimeoutMs + preferWaitSeconds * 1000, async (signal) => {
      const request = await readRequest(ctx, route, { principal, params, query, preferWaitSeconds, signal, requestKey })
      return route.method === 'GET' ? route.handle(request) : guard(request.commandId, () => route.handle(request))
    })
    if (answer.stream) await sendEventStream(ctx, answer.stream, deadlines.closing)
    else send(ctx, answer)
  }
}

type Known = Pick<RouteRequest, 'principal' | 'params' | 'query' | 'preferWaitSeconds' | 'signal'> & Pick<EndpointOptions, 'requestKey'>

async function readRequest(
  ctx: Context,
  route: Route,
  { principal, params, query, preferWaitSeconds, signal, requestKey }: Known,
): Promise<RouteRequest> {
  const { method, path } = ctx
  const isCommand = route.method === 'POST'
  const sent = ctx.req.headers
  const idempotencyKey = headers.idempotencyKeyFrom(sent)
  const intent = headers.intentFrom(sent)
  const minPosition = query.minPosition === undefined ? headers.minPositionFrom(sent) : BigInt(query.minPosition)
  const rawBody = isCommand ? await readBody(ctx.req, ctx.res) : NO_BODY
  return {
    principal,
    method,
    path,
    params,
    query,
    body: bodyOf(route, rawBody),
    rawBody,
    intent,
    approvals: route.approvals ? headers.approvalsFrom(sent) : [],
    idempotencyKey,
    commandId: isCommand ? commandIdOf(principal, method, path, idempotencyKey) : '',
    requestDigest: isCommand ? requestDigestOf(method, path, rawBody, requestKey) : '',
    correlationId: ctx.state.correlationId,
    traceparent: headers.traceparentFrom(sent),
    preferWaitSeconds,
    minPosition,
    mediaType: route.streams && mediaTypeOf(ctx, route.streams),
    lastEventId: headers.lastEventIdFrom(sent),
    signal,
  }
}

/** Parsed and validated; a route without a body class takes an empty body, or an empty object. */
function bodyOf(route: Route, rawBody: Buffer): unknown {
  if (route.body) return validate(parseJsonObject(rawBody), route.body as new () => object)
  if (rawBody.length > 0) refuseFields(parseJsonObject(rawBody))
  return undefined
}

/** @throws Problem `not_acceptable` */
function mediaTypeOf(ctx: Context, offered: readonly string[]): string {
  const accepted = ctx.accepts(...offered)
  if (typeof accepted !== 'string') throw new Problem('not_acceptable', `this is sent as ${offered.join(' or ')}`)
  return accepted
}

/** Identifiers have one spelling only: an escaped or upper-case one would make the same command look like another. */
function identifiers(params: Identifiers, path: string, { identifiers: patterns = {} }: Route): Identifiers {
  for (const name of Object.keys(params)) {
    const pattern = patterns[name] ?? UUID
    if (!pattern.test(params[name] ?? '') || path.includes('%')) throw noSuch(name)
  }
  return params
}

function send(ctx: Context, { status, body, position, currentAt, location, etag, headers: extra = {} }: Answer): void {
  ctx.status = status
  ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': etag === undefined ? 'no-store' : 'private, no-cache', ...extra })
  if (position !== undefined) ctx.set('Quorate-Position', String(position))
  const staleness = currentAt === undefined ? 0 : Date.now() - currentAt
  if (staleness > CURRENT_WITHIN_MS) ctx.set('Quorate-Staleness', String(staleness))
  if (location !== undefined) ctx.set('Location', location)
  if (etag !== undefined) {
    const quoted = `"${etag}"`
    ctx.set('ETag', quoted)
    if (ctx.method !== 'POST' && headers.namesEntityTag(ctx.req.headers, quoted)) {
      ctx.status = 304
      return
    }
  }
  if (body === undefined) return
  ctx.set('Content-Type', 'application/json; charset=utf-8')
  ctx.body = JSON.stringify(body)
}
