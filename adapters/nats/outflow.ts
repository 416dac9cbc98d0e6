import type { NatsConnection } from 'nats'

/** Bytes of protocol around each message, roughly. */
const OVERHEAD = 64
/** The part of the limit that may be unconfirmed before the broker is asked: a round trip after every message would cost more than the message. */
const UNASKED = 1 / 4

export type Outflow = {
  /** Whether another message may be published now; it is then counted until the broker has taken it. */
  admits(bytes: number): boolean
}

/**
 * Bounds what waits to be sent: the client buffers without limit when the broker is there but does not read. What was published before a
 * flush has been taken when the flush is answered, and is gone when the connection is.
 */
export function createOutflow(nats: Pick<NatsConnection, 'flush'>, limitBytes: number): Outflow {
  let unconfirmed = 0
  let flushing = false

  async function confirm(): Promise<void> {
    flushing = true
    const bytes = unconfirmed
    await nats.flush().catch(() => {})
    unconfirmed -= bytes
    flushing = false
  }

  return {
    admits(bytes) {
      if (unconfirmed + bytes + OVERHEAD > limitBytes) return false
      unconfirmed += bytes + OVERHEAD
      // In a later turn, so that one flush follows all that is published in this one.
      if (!flushing && unconfirmed > limitBytes * UNASKED) {
        flushing = true
        setImmediate(() => void confirm())
      }
      return true
    },
  }
}
