import { EndpointFailure, type EndpointFault, RpcRefusal } from './failures.ts'
import type { RpcSettings } from './settings.ts'
import { TIMED_OUT, within } from './within.ts'

/** @throws RpcRefusal when the answer is an error, EndpointFailure when there is none */
export type JsonRpc = (method: string, params: readonly unknown[], signal: AbortSignal) => Promise<unknown>

const MAX_WORDS = 200
/** Shorter parts of a URL are no secrets, and words of a node may well have them. */
const SHORTEST_SECRET = 6
const DEFAULT_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 300_000

/** Failures before anything was sent. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']

/**
 * JSON-RPC 2.0 over HTTP, one request at a time, none of them repeated; answers of 1.0, with both `result` and `error`, are read too.
 * @param endpoint URL; a name and password in it are sent as Basic authorisation (RFC 7617)
 */
export function jsonRpc(endpoint: string, { timeoutMs, maxResponseBytes }: Pick<RpcSettings, 'timeoutMs' | 'maxResponseBytes'>): JsonRpc {
  const { url, headers } = requestTo(endpoint)
  const withoutSecrets = redaction(endpoint)
  let lastId = 0
  const post = async (body: string, id: number, signal: AbortSignal): Promise<unknown> => {
    // Where a redirection leads nobody has configured, and a key in the URL would go along.
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
    if (response.status === 429) {
      await response.body?.cancel()
      throw new EndpointFailure('rate_limited', false, retryAfterMs(response.headers.get('retry-after')))
    }
    return resultIn(await textOf(response, maxResponseBytes), response, id, withoutSecrets)
  }
  return (method, params, outer) => {
    const id = ++lastId
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    return within(timeoutMs, outer, (signal) =>
      post(body, id, signal).catch((error: unknown) => {
        if (error instanceof EndpointFailure || error instanceof RpcRefusal) throw error
        throw new EndpointFailure(faultOf(signal), !NOT_SENT.includes(codeOf(error)))
      }),
    )
  }
}

function faultOf({ aborted, reason }: AbortSignal): EndpointFault {
  if (!aborted) return 'unreachable'
  return reason === TIMED_OUT ? 'timeout' : 'closed'
}

function requestTo(endpoint: string) {
  const url = new URL(endpoint)
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ''
  url.password = ''
  const headers = new Headers({ 'content-type': 'application/json' })
  if (credentials !== ':') headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`)
  return { url, headers }
}

/** The text of the answer, as long as it is no longer than it may be. */
async function textOf(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBytes) throw new EndpointFailure('answer_too_long', true)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Some servers tell errors with a status of HTTP besides. */
function resultIn(text: string, { ok, status }: Response, id: number, withoutSecrets: (words: string) => string): unknown {
  const answer = parsed(text)
  const isAnswer = typeof answer === 'object' && answer !== null && 'id' in answer && answer.id === id
  if (isAnswer && 'error' in answer && answer.error !== null) throw refusalOf(answer.error, withoutSecrets)
  if (!ok) throw new EndpointFailure('http_status', status >= 500)
  if (!isAnswer || !('result' in answer)) throw new EndpointFailure('malformed_answer', true)
  return answer.result
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusalOf(error: unknown, withoutSecrets: (words: string) => string): Error {
  const { code, message, data } = Object(error) as { code?: unknown; message?: unknown; data?: unknown }
  if (typeof code !== 'number' || typeof message !== 'string') return new EndpointFailure('malformed_answer', true)
  return new RpcRefusal(code, withoutSecrets(message), data)
}

/** Takes what may be a secret of the URL out of words that others see, and what no line of a log should have. */
function redaction(endpoint: string): (words: string) => string {
  const url = new URL(endpoint)
  const secrets = [endpoint, url.host, url.username, url.password, ...url.pathname.split('/'), ...url.searchParams.values()]
    .filter((part) => part.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
  return (words) => {
    const printable = words.slice(0, 10 * MAX_WORDS).replaceAll(/[^\x20-\x7e]+/g, ' ')
    return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), printable).slice(0, MAX_WORDS)
  }
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(header: string | null): number {
  const text = header?.trim() ?? ''
  const wanted = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isNaN(wanted) ? DEFAULT_PAUSE_MS : Math.min(Math.max(wanted, 0), MAX_PAUSE_MS)
}

function codeOf(error: unknown): string {
  const { code, cause } = Object(error) as { code?: unknown; cause?: { code?: unknown } }
  return String(cause?.code ?? code)
}
