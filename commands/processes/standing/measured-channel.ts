import { setMaxListeners } from 'node:events'
import { Unavailable } from '../../../domain/ports/event-log.ts'
import { NoResponders, RequestTimeout } from '../../../domain/ports/messages.ts'
import { InvalidReply, type PartyChannel } from '../../../domain/ports/party-channel.ts'
import { faultOfRefusal } from './fault.ts'
import type { PartyStanding } from './party-standing.ts'

/**
 * A channel that waits for each party as long as is reasonable for it, and that tells its standing how each request went. What nobody waits for
 * any more is measured all the same: a party is slow or silent also where others were quicker.
 */
export function measuredChannel(
  channel: PartyChannel,
  standing: Pick<PartyStanding, 'timeoutMs' | 'answered' | 'failed'>,
  now: () => number = () => performance.now(),
): PartyChannel {
  const absentAt = new Map<string, number>()
  /** Requests that were under way together are absent together. One pause of a party is one failure, however many sessions it met. */
  const absent = (partyId: string, began: number) => {
    if (began < (absentAt.get(partyId) ?? Number.NEGATIVE_INFINITY)) return
    absentAt.set(partyId, now())
    standing.failed(partyId, 'absent')
  }

  return {
    reachable: channel.reachable,
    ask(header, request, { timeoutMs, signal }) {
      const { to } = header
      const began = now()
      const asked = channel.ask(header, request, { timeoutMs: Math.min(timeoutMs, standing.timeoutMs(to)) })
      asked.then(
        (reply) => {
          const fault = reply.type === 'refused' ? faultOfRefusal(reply.code) : undefined
          if (fault) standing.failed(to, fault)
          else standing.answered(to, now() - began)
        },
        (error) => {
          if (error instanceof NoResponders || error instanceof RequestTimeout) absent(to, began)
          // Whoever carries a reply can spoil it: that it makes no sense proves nothing.
          else if (error instanceof InvalidReply || isItsService(error)) standing.failed(to, 'refused')
        },
      )
      return signal ? unlessAborted(asked, signal) : asked
    },
  }
}

/** The party's service has answered, if only to say that it cannot. A broker that is gone is no party's fault. */
const isItsService = (error: unknown) => error instanceof Unavailable && error.dependency !== 'nats'

async function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  // One signal often ends requests to many parties; that is no leak.
  setMaxListeners(0, signal)
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([asked, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
