/** Clients that go on whatever happens, and remember what they were told. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { signIntent } from '../../scripts/client/intent.ts'
import type { DevelopmentClient } from '../../scripts/supervisor/development-client.ts'

const RETRY_AFTER_MS = 250
const PAUSE_MS = 50
const GIVE_UP_AFTER_MS = 60_000

export type Reply = {
  at: number
  ms: number
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects to find in the answer
  json: any
  position: string | null
  staleness: number | undefined
  retryAfter: string | null
}

export type Load = {
  /** Every answer so far. */
  commands: readonly Reply[]
  queries: readonly Reply[]
  /** Ids of the wallets and sessions that were acknowledged, with the position they were given. */
  wallets: ReadonlyMap<string, string>
  sessions: ReadonlyMap<string, string>
  /** Ends when every command under way has been acknowledged. */
  stop(): Promise<void>
  /** Ends at once, whatever has become of what is under way. */
  abandon(): Promise<void>
}

export type Caller = ReturnType<typeof caller>

/** What it asks is given up when the signal aborts. */
export function caller(dev: DevelopmentClient, given?: AbortSignal) {
  async function call(method: string, path: string, headers: Record<string, string>, body?: Buffer): Promise<Reply> {
    const at = Date.now()
    const response = await fetch(dev.baseUrl + path, {
      method,
      headers: { authorization: `Bearer ${dev.token}`, ...headers },
      signal: AbortSignal.any([AbortSignal.timeout(GIVE_UP_AFTER_MS), ...(given ? [given] : [])]),
      ...(body && { body }),
    })
    const json = await response.json()
    const staleness = response.headers.get('quorate-staleness')
    return {
      at,
      ms: Date.now() - at,
      status: response.status,
      json,
      position: response.headers.get('quorate-position'),
      staleness: staleness === null ? undefined : Number(staleness),
      retryAfter: response.headers.get('retry-after'),
    }
  }
  return {
    get: (path: string, headers: Record<string, string> = {}) => call('GET', path, headers),
    async post(path: string, body: object, key: string): Promise<Reply> {
      const bytes = Buffer.from(JSON.stringify(body))
      const intent = await signIntent(dev, 'POST', path, bytes)
      return call('POST', path, { 'content-type': 'application/json', 'idempotency-key': key, 'quorate-intent': intent }, bytes)
    },
  }
}

/** Creates wallets, asks for signatures by the key, and reads what it has caused, one after the other in each of a few loops. */
export function startLoad(dev: DevelopmentClient, keyId: string): Load {
  const abandoned = new AbortController()
  const { signal } = abandoned
  const { get, post } = caller(dev, signal)
  const commands: Reply[] = []
  const queries: Reply[] = []
  const wallets = new Map<string, string>()
  const sessions = new Map<string, string>()
  let stopped = false

  /** The same command under the same key until it is acknowledged, as a careful client does it. */
  async function command(path: string, body: object): Promise<Reply> {
    const key = randomUUID()
    for (;;) {
      const reply = await post(path, body, key)
      commands.push(reply)
      if (!reply.json.retryable) return reply
      await delay(RETRY_AFTER_MS, undefined, { signal })
    }
  }

  async function loop(step: (n: number) => Promise<void>): Promise<void> {
    for (let n = 0; !stopped; n++) {
      await step(n)
      await delay(PAUSE_MS, undefined, { signal })
    }
  }

  const clientKeys = [{ ...dev.publicJwk, kid: dev.kid }]
  const running = [
    loop(async (n) => {
      const { json, position } = await command('/v1/wallets', { name: `wallet ${n}`, clientKeys })
      if (json.walletId) wallets.set(json.walletId, position ?? '0')
    }),
    loop(async (n) => {
      const payload = { kind: 'message', encoding: 'utf8', data: `message ${n}` }
      const { json, position } = await command(`/v1/keys/${keyId}/signatures`, { payload })
      if (json.sessionId) sessions.set(json.sessionId, position ?? '0')
    }),
    loop(async () => {
      queries.push(await get(`/v1/keys/${keyId}`))
    }),
    loop(async () => {
      const newest = [...wallets].at(-1)
      if (newest) queries.push(await get(`/v1/wallets/${newest[0]}`))
    }),
  ]
  // Whoever stops it hears of what went wrong; until then it is not unhandled.
  for (const each of running) each.catch(() => {})
  return {
    commands,
    queries,
    wallets,
    sessions,
    async stop() {
      stopped = true
      await Promise.all(running)
    },
    async abandon() {
      abandoned.abort()
      await Promise.allSettled(running)
    },
  }
}
