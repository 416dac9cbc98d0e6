/** The contract between the routes and the application that serves them: a route is data, and routing, authorisation, validation and OpenAPI follow from it. */

export const ROLES = ['client', 'approver', 'operator', 'auditor', 'data'] as const
export type Role = (typeof ROLES)[number]

/** The tenant of the platform itself: it sees every tenant. */
export const PLATFORM_TENANT = '*'

/** What a tenant may be called. */
export const TENANT = /^(\*|[A-Za-z0-9][\w.-]{0,63})$/

/** Who calls, as the token says. */
export type Principal = { sub: string; tenant: string; roles: readonly Role[] }

/** A JSON Schema (2020-12). One with a `title` becomes a component of the OpenAPI document under that name. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** A query parameter; its single value reaches the handler as the string that was sent, checked against `schema` (`string` with `pattern` or `enum`, or `integer` with bounds). */
export type QueryParameter = {
  description: string
  /** Without it nothing can be answered; what it names may not exist. */
  required?: true
  schema:
    | { type: 'string'; pattern?: string; enum?: readonly string[]; maxLength?: number }
    | { type: 'integer'; minimum: number; maximum: number; default?: number }
}

/** Names of the parameters in a path template: `/v1/keys/:keyId` has `keyId`. */
export type ParameterNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterNames<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

export type RouteRequest<Path extends string = string, Body = unknown> = {
  principal: Principal
  method: string
  /** The path as sent, without the query. */
  path: string
  /** Identifiers of the path, each a lower-case UUID unless the route says otherwise. */
  params: { readonly [Name in ParameterNames<Path>]: string }
  query: { readonly [name: string]: string | undefined }
  /** An instance of the route's body class; undefined when the route has none. */
  body: Body
  /** The very bytes received; empty when none were. */
  rawBody: Buffer
  /** The `Quorate-Intent` header, unread: a compact JWS of at most 8 KiB. */
  intent: string | null
  /** The intents of the `Quorate-Approvals` header, unread; empty unless the route takes them. */
  approvals: readonly string[]
  /** 1 to 255 visible ASCII characters. */
  idempotencyKey: string | null
  /** UUID, derived from who asks, what, and the idempotency key; random without a key. Empty for a GET. */
  commandId: string
  /** SHA-256 (hex) over method, path and body, to tell a repeated request from a different one. Empty for a GET. */
  requestDigest: string
  correlationId: string
  traceparent: string | undefined
  /** 0 to 60, from `Prefer: wait=N`; 0 when it was not sent or the route does not wait. */
  preferWaitSeconds: number
  /** From the header `Quorate-Min-Position` or the query parameter `minPosition`. */
  minPosition: bigint | undefined
  /** Which of those that the route streams in the caller wants; undefined when the route does not stream. */
  mediaType: string | undefined
  /** The `Last-Event-ID` header of a reader that comes again. */
  lastEventId: string | undefined
  /** Aborted when the client has gone away or the server's deadline has passed. */
  signal: AbortSignal
}

export type Answer = {
  status: 200 | 201 | 202 | 204
  body?: object
  /** Sent as `Quorate-Position`. */
  position?: bigint | undefined
  /** When what is answered from was last known to hold everything in the log, ms since the epoch; sent as `Quorate-Staleness` when that is a while ago. */
  currentAt?: number
  location?: string
  /** Sent quoted; a GET whose `If-None-Match` names it is answered 304 without the body. */
  etag?: string
  headers?: { readonly [name: string]: string }
  /** Sent in place of a body, with nothing else of this answer. */
  stream?: EventStream
}

/** What a route answers that goes on and on. */
export type EventStream = {
  mediaType: string
  /** How long a reader may take nothing before it is cut off. */
  stalledMs: number
  /**
   * Begins at once; what it throws is answered as a problem. The chunks end where the reader has everything; they may stop earlier when the signal
   * aborts, and throw when they cannot go on. `buffered` is how many bytes wait for the reader.
   */
  begin(outlet: { signal: AbortSignal; buffered(): number }): AsyncIterable<string>
  /** A reader was cut off that took nothing. */
  onStalled(): void
  /** Whether the reader can tell from what it has been sent that it has everything, and otherwise is to be cut off. */
  endsByItself: boolean
}

export type Route<Path extends string = string, Body = unknown> = {
  method: 'GET' | 'POST'
  path: Path
  tag: string
  summary: string
  description?: string
  /** Any of them suffices. */
  roles: readonly Role[]
  /** Only for principals of the platform's own tenant. */
  platform?: true
  /** Class with class-validator decorators. */
  body?: new () => Body
  /** Whether a `Quorate-Intent` is asked for. */
  intent?: true
  /** Whether approvers may have signed the same request, in `Quorate-Approvals`. */
  approvals?: true
  /** Whether `Prefer: wait=N` is honoured. */
  waits?: true
  /** What identifiers of the path must match that are not UUIDs, by their names; no `%` is ever in one. */
  identifiers?: { readonly [name: string]: RegExp }
  /** Beside `minPosition`, which every GET takes. */
  query?: { readonly [name: string]: QueryParameter }
  /** Media types of the stream that it answers with, the preferred one first. */
  streams?: readonly string[]
  /** What a success looks like, by status; problems are documented for every route alike. */
  answers: { readonly [Status in 200 | 201 | 202 | 204]?: { description: string; schema?: JsonSchema } }
  handle(request: RouteRequest<Path, Body>): Promise<Answer>
}

/** A route with the types of its parameters and body inferred from its declaration. */
export function route<const Path extends string, Body = undefined>(declaration: Route<Path, Body>): Route {
  return declaration as Route
}
