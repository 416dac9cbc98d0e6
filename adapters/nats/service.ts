import { headers, type Msg, type NatsConnection } from 'nats'
import type { Handler } from '../../domain/ports/messages.ts'
import { within } from './within.ts'

const MAX_RUNNING = 256
const MAX_WAITING = 1_024
const DRAIN_WITHIN_MS = 5_000

/** How NATS services tell that a request failed (ADR-32); the text is one of ours, never that of an exception. */
const ERROR = 'Nats-Service-Error'
const ERROR_CODE = 'Nats-Service-Error-Code'

/**
 * Answers requests on a subject; several instances share them as a queue group. A bounded number of handlers runs at once, a bounded number
 * of requests waits, and beyond that the requester is told at once that the service is busy.
 * Returns a function that takes no more requests and resolves when those accepted are answered, or after five seconds.
 */
export function startService(
  nats: NatsConnection,
  subject: string,
  handler: Handler,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const waiting: Msg[] = []
  let running = 0
  let whenIdle = () => {}

  async function run(request: Msg): Promise<void> {
    running++
    try {
      request.respond(await handler(request.data, request.subject))
    } catch (error) {
      onError(error)
      refuse(request, 500, 'request failed', onError)
    }
    running--
    const next = waiting.shift()
    if (next) void run(next)
    else if (running === 0) whenIdle()
  }

  const subscription = nats.subscribe(subject, {
    queue: 'service',
    callback(error, request) {
      if (error) onError(error)
      else if (running < MAX_RUNNING) void run(request)
      else if (waiting.length < MAX_WAITING) waiting.push(request)
      else refuse(request, 503, 'busy', onError)
    },
  })

  return async () => {
    const idle = async () => {
      if (!subscription.isClosed()) await subscription.drain()
      if (running > 0) await new Promise<void>((resolve) => (whenIdle = resolve))
    }
    await within(DRAIN_WITHIN_MS, idle())
    subscription.unsubscribe()
  }
}

function refuse(request: Msg, code: number, text: string, onError: (error: unknown) => void): void {
  const head = headers()
  head.set(ERROR, text)
  head.set(ERROR_CODE, String(code))
  try {
    request.respond(undefined, { headers: head })
  } catch (error) {
    // The connection is closed: the requester learns it by its timeout.
    onError(error)
  }
}

/** What the service said instead of an answer, if it did. */
export function refusalOf(reply: Msg): string | undefined {
  return reply.headers?.has(ERROR_CODE) ? `${reply.headers.get(ERROR_CODE)} ${reply.headers.get(ERROR)}` : undefined
}
