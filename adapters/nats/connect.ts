import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, type NatsConnection } from 'nats'
import { Unavailable } from '../../domain/ports/event-log.ts'

const FIRST_CONNECT_WITHIN_MS = 10_000
const RETRY_MS = 100

/** A connection that comes back by itself, and that says at once when it is gone. */
export type Link = {
  readonly nats: NatsConnection
  isUp(): boolean
  /** Calls back once at the next loss of the connection, unless the returned function is called first. */
  onceDown(callback: () => void): () => void
}

export type LinkOptions = {
  url: string
  name: string
  /** How long to wait for the broker at the start; ten seconds unless told. */
  firstConnectWithinMs?: number
}

/**
 * Connects, and keeps connecting for ever once it was connected. `url` may name several servers of a cluster, parted by commas; a user name
 * and password, or a token alone, may stand before the first host. `tls://` insists on TLS, which is also used when the server asks for it.
 * @throws Unavailable when nobody answers in time at the start
 */
export async function openLink({ url, name, firstConnectWithinMs = FIRST_CONNECT_WITHIN_MS }: LinkOptions): Promise<Link> {
  const nats = await firstConnection(firstConnectWithinMs, {
    ...serversOf(url),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_MS,
    reconnectJitter: RETRY_MS,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    timeout: 2_000,
    pingInterval: 10_000,
    maxPingOut: 2,
  })
  let up = true
  const waiting = new Set<() => void>()
  function goDown(): void {
    up = false
    const callbacks = [...waiting]
    waiting.clear()
    for (const callback of callbacks) callback()
  }
  void (async () => {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect') goDown()
      else if (type === 'reconnect') up = true
    }
  })()
  void nats.closed().then(goDown)
  return {
    nats,
    isUp: () => up && !nats.isClosed() && !nats.isDraining(),
    onceDown(callback) {
      waiting.add(callback)
      return () => waiting.delete(callback)
    },
  }
}

/** The client can wait for the first connection by itself, but only for ever. */
async function firstConnection(ms: number, options: ConnectionOptions): Promise<NatsConnection> {
  const deadline = Date.now() + ms
  for (;;) {
    try {
      return await connect(options)
    } catch (error) {
      if (Date.now() + RETRY_MS >= deadline) throw new Unavailable('nats', { cause: error })
      await sleep(RETRY_MS + Math.random() * RETRY_MS)
    }
  }
}

/** The client takes credentials as options only. Errors do not repeat the URL, which may hold them. */
export function serversOf(url: string): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls'> {
  const texts = url.split(',').map((text) => text.trim())
  if (!texts.every((text) => URL.canParse(text))) throw new TypeError('not a NATS URL')
  const urls = texts.map((text) => new URL(text))
  const servers = urls.map(({ host }) => host)
  const tls = urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}
  const user = decodeURIComponent(urls[0]!.username)
  const pass = decodeURIComponent(urls[0]!.password)
  if (user === '') return { servers, ...tls }
  return pass === '' ? { servers, token: user, ...tls } : { servers, user, pass, ...tls }
}
