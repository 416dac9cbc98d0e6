import { setMaxListeners } from 'node:events'
import { ErrorCode, NatsError } from 'nats'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { type Messages, NoResponders, RequestTimeout } from '../../domain/ports/messages.ts'
import { type LinkOptions, openLink } from './connect.ts'
import { createOutflow } from './outflow.ts'
import { refusalOf, startService } from './service.ts'
import { within } from './within.ts'

const PING_WITHIN_MS = 2_000
/** What may have been published and not yet been taken by the broker; beyond that publications are dropped. */
const MAX_UNCONFIRMED_BYTES = 16 * 1_048_576
const DRAIN_WITHIN_MS = 2_000

/** `url` is as `openLink` takes it; `name` is shown by the broker's monitoring. */
export type MessagesOptions = LinkOptions & {
  /** Told what a handler or listener threw; requesters never see it. */
  onHandlerError?: (error: unknown, subject: string) => void
}

/**
 * Messages over NATS, at most once. A lost connection comes back by itself, and subscriptions and services with it; until then requests fail
 * at once and publications are dropped, as they are while the broker takes too little of what was published before.
 * @throws Unavailable when the broker does not answer in time at the start
 */
export async function connectMessages({ onHandlerError = () => {}, ...linkOptions }: MessagesOptions): Promise<Messages> {
  const link = await openLink(linkOptions)
  const { nats } = link
  const services = new Set<() => Promise<void>>()
  const outflow = createOutflow(nats, MAX_UNCONFIRMED_BYTES)

  function assertFits(payload: Uint8Array): void {
    const limit = nats.info?.max_payload
    if (limit !== undefined && payload.length > limit)
      throw new RangeError(`a message of ${payload.length} bytes; the broker takes ${limit}`)
  }

  return {
    async request(subject, payload, { timeoutMs, signal }) {
      assertSubject(subject)
      assertFits(payload)
      signal?.throwIfAborted()
      if (!link.isUp()) throw new Unavailable('nats')
      const interruption = interrupted((interrupt) => {
        const forgetLoss = link.onceDown(() => interrupt(new Unavailable('nats')))
        const onAbort = () => interrupt(signal?.reason)
        if (signal) {
          // One signal often ends requests to many parties; that is no leak.
          setMaxListeners(0, signal)
          signal.addEventListener('abort', onAbort)
        }
        return () => {
          forgetLoss()
          signal?.removeEventListener('abort', onAbort)
        }
      })
      try {
        const reply = await Promise.race([nats.request(subject, payload, { timeout: Math.max(1, timeoutMs) }), interruption.promise])
        const refusal = refusalOf(reply)
        if (refusal !== undefined) throw new Unavailable(subject, { cause: new Error(refusal) })
        return reply.data
      } catch (error) {
        throw error instanceof NatsError ? translate(error, subject, timeoutMs) : error
      } finally {
        interruption.release()
      }
    },

    serve(subject, handler) {
      assertSubject(subject)
      const stop = startService(nats, subject, handler, (error) => onHandlerError(error, subject))
      services.add(stop)
      return async () => {
        services.delete(stop)
        await stop()
      }
    },

    publish(subject, payload) {
      assertSubject(subject)
      assertFits(payload)
      if (link.isUp() && outflow.admits(payload.length)) nats.publish(subject, payload)
    },

    subscribe(subject, listener) {
      assertSubject(subject)
      const subscription = nats.subscribe(subject, {
        callback(error, message) {
          try {
            if (error) throw error
            listener(message.data, message.subject)
          } catch (thrown) {
            onHandlerError(thrown, subject)
          }
        },
      })
      return () => subscription.unsubscribe()
    },

    async ping() {
      const answers = link.isUp() && (await within(PING_WITHIN_MS, nats.flush()))
      if (!answers) throw new Unavailable('nats')
    },

    async close() {
      await Promise.all([...services].map((stop) => stop()))
      if (link.isUp()) await within(DRAIN_WITHIN_MS, nats.drain())
      await nats.close()
    },
  }
}

/** White space would end the subject on the wire, and let the rest of it speak for the sender. */
function assertSubject(subject: string): void {
  if (!/^[^\s\0]+$/.test(subject)) throw new TypeError('not a subject')
}

/** A promise that is only ever rejected, by whoever `watch` hands `interrupt` to, and the release of what watches. */
function interrupted(watch: (interrupt: (reason: unknown) => void) => () => void): { promise: Promise<never>; release: () => void } {
  let release = () => {}
  const promise = new Promise<never>((_, reject) => {
    release = watch(reject)
  })
  return { promise, release }
}

function translate(error: NatsError, subject: string, timeoutMs: number): Error {
  switch (error.code) {
    case ErrorCode.NoResponders:
      return new NoResponders(subject)
    case ErrorCode.Timeout:
      return new RequestTimeout(subject, timeoutMs)
    default:
      return new Unavailable('nats', { cause: error })
  }
}
