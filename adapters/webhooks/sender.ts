import { lookup } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { SendFailure, SendOutcome, WebhookSender } from '../../domain/ports/webhook-sender.ts'
import { hostOf, isPublicAddress, type Resolve, resolveAll } from './public-address.ts'

export type SenderOptions = {
  /** Whether http, and addresses that are not public, may be sent to. */
  allowPrivate: boolean
  /** For a connection, TLS included, and for all of a request. */
  connectTimeoutMs?: number
  timeoutMs: number
  resolve?: Resolve
}

/** Of an answer's body so much is taken, that the connection may be used again; nothing is made of it. */
const MOST_BODY_BYTES = 16 * 1024
const IDLE_CONNECTIONS = 64
const IDLE_MS = 15_000

class AddressNotAllowed extends Error {}
class TimedOut extends Error {}

/**
 * Posts over connections of its own. Where private addresses are not allowed, a name is resolved when a connection is made, all its addresses are judged, and the
 * connection goes to one of those that were: who changes the name in between gains nothing.
 */
export function webhookSender({ allowPrivate, connectTimeoutMs = 5_000, timeoutMs, resolve = resolveAll }: SenderOptions): WebhookSender {
  const options = {
    keepAlive: true,
    maxFreeSockets: 1,
    maxTotalSockets: Number.POSITIVE_INFINITY,
    timeout: IDLE_MS,
    scheduling: 'lifo',
  } as const
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent({ ...options, maxCachedSessions: IDLE_CONNECTIONS }) }
  const judged = judgingLookup(resolve)

  const post = (url: URL, headers: { readonly [name: string]: string }, body: string, signal: AbortSignal): Promise<SendOutcome> =>
    new Promise((settle, fail) => {
      const secure = url.protocol === 'https:'
      const connection = { agent: agents[secure ? 'https:' : 'http:'], lookup: allowPrivate ? lookup : judged }
      const sending = (secure ? httpsRequest : httpRequest)(url, {
        ...connection,
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        signal,
      })
      const overdue = setTimeout(() => sending.destroy(new TimedOut()), timeoutMs)
      let connecting: NodeJS.Timeout | undefined
      let outcome: SendOutcome | undefined
      sending.on('socket', (socket) => {
        if (!socket.connecting) return
        connecting = setTimeout(() => sending.destroy(new TimedOut()), connectTimeoutMs)
        socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting))
      })
      sending.on('response', (answer) => {
        discard(answer)
        outcome = { status: answer.statusCode ?? 0, retryAfterMs: retryAfter(answer.headers['retry-after']) }
      })
      // A connection that was kept may have been closed by the other side meanwhile: that says nothing of the receiver.
      sending.on('error', (error) => outcome ?? fail(sending.reusedSocket && isReset(error) ? new ConnectionStale() : error))
      sending.on('close', () => {
        clearTimeout(connecting)
        clearTimeout(overdue)
        // Not before: who sends its body by the byte must not hold more connections than it is sent events at a time.
        if (outcome) settle(outcome)
        // Who answers that it speaks another protocol is cut off without an answer, and without an error.
        else fail(new Error('it was closed without an answer'))
      })
      sending.end(body)
    })

  return {
    async send(text, headers, body, signal) {
      const url = new URL(text)
      if (!allowPrivate && (url.protocol !== 'https:' || (isIP(hostOf(url)) && !isPublicAddress(hostOf(url)))))
        return { failure: 'address_not_allowed' }
      for (;;) {
        try {
          return await post(url, headers, body, signal)
        } catch (error) {
          if (!(error instanceof ConnectionStale)) return { failure: failureOf(error as NodeJS.ErrnoException) }
        }
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

class ConnectionStale extends Error {}

/** Resolves a name for a connection, unless one of its addresses is not public. */
const judgingLookup =
  (resolve: Resolve): LookupFunction =>
  (host, { all }, callback) => {
    resolve(host).then(
      (addresses) => {
        const [first] = addresses
        if (!first || !addresses.every(({ address }) => isPublicAddress(address))) callback(new AddressNotAllowed(), [])
        else if (all) callback(null, [...addresses])
        else callback(null, first.address, first.family)
      },
      (error) => callback(error, []),
    )
  }

function discard(answer: IncomingMessage): void {
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MOST_BODY_BYTES) answer.destroy()
  })
  // Of an answer that is cut off the status is known all the same.
  answer.on('error', () => {})
}

const isReset = ({ code }: NodeJS.ErrnoException) => code === 'ECONNRESET' || code === 'EPIPE'

function failureOf(error: NodeJS.ErrnoException): SendFailure {
  const { name, code = '' } = error
  if (error instanceof AddressNotAllowed) return 'address_not_allowed'
  if (error instanceof TimedOut || name === 'AbortError' || code === 'ETIMEDOUT') return 'timed_out'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') return 'name_not_resolved'
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SIGNED|EPROTO|ISSUER/.test(code)) return 'tls_failed'
  return 'connection_failed'
}

/** Seconds, or an HTTP date (RFC 9110 §10.2.3). */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
