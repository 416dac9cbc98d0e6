import { signReport } from '../../domain/ceremony/signed-report.ts'
import type { ClosureOrder, CoordinatorReport } from '../../domain/ports/coordinators.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { Messages } from '../../domain/ports/messages.ts'

const EVERY_MS = 1_000

export type Announcement = {
  /** Says it now. @throws Unavailable when it cannot be signed */
  say(): Promise<void>
  close(): Promise<void>
}

export type AnnouncementOptions = {
  identity: Identity
  report(): Omit<CoordinatorReport, 'leaving'>
  /** Sees to an order that is said to stand in the log. */
  obey(order: ClosureOrder): Promise<void>
  onFailure(error: unknown): void
}

/**
 * Says on `quorate.coordinators.<coordinatorId>` every second how this coordinator sees things, signed, and is told on
 * `quorate.coordinators.<coordinatorId>.force-close` of orders to close a circuit. It decides whom is asked first, never who is trusted.
 */
export function announceCoordinator(
  messages: Pick<Messages, 'publish' | 'serve'>,
  { identity, report, obey, onFailure }: AnnouncementOptions,
): Announcement {
  const { coordinatorId } = report()
  const subject = `quorate.coordinators.${coordinatorId}`
  let last = 0
  /** No two are of the same moment: who hears them goes by the last. */
  const signed = async (leaving: boolean): Promise<Uint8Array> => {
    last = Math.max(Date.now(), last + 1)
    return new TextEncoder().encode(JSON.stringify(await signReport(identity, last, { ...report(), leaving })))
  }
  const say = async (leaving = false) => messages.publish(subject, await signed(leaving))
  const stopServing = messages.serve(`${subject}.force-close`, async (payload) => {
    const order = readOrder(payload)
    if (order && report().parties.some(({ partyId }) => partyId === order.partyId)) await obey(order)
    await say()
    return signed(false)
  })
  const sayNow = () => void say().catch(onFailure)
  const timer = setInterval(sayNow, EVERY_MS).unref()
  sayNow()
  return {
    say,
    async close() {
      clearInterval(timer)
      await stopServing()
      await say(true)
    },
  }
}

/** Undefined for what is no order. */
function readOrder(payload: Uint8Array): ClosureOrder | undefined {
  try {
    const { partyId, revision } = JSON.parse(new TextDecoder().decode(payload))
    return typeof partyId === 'string' && /^\d{1,19}$/.test(revision) ? { partyId, revision: BigInt(revision) } : undefined
  } catch {
    return undefined
  }
}
