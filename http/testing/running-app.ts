/** The real application over real HTTP, with a development issuer of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { pino } from 'pino'
import { authenticator } from '../authentication.ts'
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, type DevelopmentIssuer, openDevelopmentIssuer } from '../development-issuer.ts'
import { createMetrics } from '../metrics.ts'
import { ROLES, type Role, type Route } from '../route.ts'
import { type RunningServer, type ServerOptions, serve } from '../server.ts'

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects to find in the answer
export type Reply = { status: number; headers: Headers; text: string; json: any }

export type RunningApp = {
  url: string
  server: RunningServer
  issuer: DevelopmentIssuer
  /** Lines of the log so far. */
  log: { [field: string]: unknown }[]
  token(claims?: { sub?: string; tenant?: string; roles?: readonly Role[]; ttlSeconds?: number }): Promise<string>
  /** With a token of tenant `acme` and every role, unless `authorization` says otherwise (null: none at all). */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string>; authorization?: string | null },
  ): Promise<Reply>
}

/** Serves the routes until the test ends. A string or Buffer as a body goes out as it is, anything else as JSON. */
export async function runApp(t: ExecutionContext, routes: readonly Route[], overrides: Partial<ServerOptions> = {}): Promise<RunningApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-http-'))
  t.teardown(() => rm(dataDir, { recursive: true }))
  const issuer = await openDevelopmentIssuer(dataDir)
  const log: RunningApp['log'] = []
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    routes,
    authenticate: authenticator({ keys: issuer.keys, issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE }),
    checks: [],
    metrics: createMetrics(),
    logger: pino({ level: 'info' }, { write: (line: string) => log.push(JSON.parse(line)) }),
    version: '0.0.0',
    ...overrides,
  })
  t.teardown(server.close)
  const token: RunningApp['token'] = ({ sub = 'alice', tenant = 'acme', roles = ROLES, ttlSeconds = 600 } = {}) =>
    issuer.issueToken({ sub, tenant, roles, ttlSeconds })
  const standard = `Bearer ${await token()}`
  return {
    url: server.url,
    server,
    issuer,
    log,
    token,
    async call(method, path, { body, headers = {}, authorization = standard } = {}) {
      const raw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
      const response = await fetch(server.url + path, {
        method,
        headers: {
          ...(authorization !== null && { authorization }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: (raw ? body : JSON.stringify(body)) as string }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
    },
  }
}
