import type { CoordinatorReport } from '../../domain/ports/coordinators.ts'
import type { Messages } from '../../domain/ports/messages.ts'

const EVERY_MS = 1_000

export type Announcement = {
  /** Says it now. */
  say(): void
  close(): Promise<void>
}

/**
 * Says on `quorate.coordinators.<coordinatorId>` every second how this coordinator sees things, and closes a circuit when asked on
 * `quorate.coordinators.<coordinatorId>.force-close` with the party's id. Not signed: it decides whom is asked first, never who is trusted.
 */
export function announceCoordinator(
  messages: Pick<Messages, 'publish' | 'serve'>,
  { report, forceClose }: { report(): Omit<CoordinatorReport, 'leaving'>; forceClose(partyId: string): void },
): Announcement {
  const { coordinatorId } = report()
  const subject = `quorate.coordinators.${coordinatorId}`
  const say = (leaving = false) => messages.publish(subject, encode({ ...report(), leaving }))
  const stopServing = messages.serve(`${subject}.force-close`, async (payload) => {
    const partyId = new TextDecoder().decode(payload)
    if (report().parties.some((party) => party.partyId === partyId)) forceClose(partyId)
    say()
    return encode({ ...report(), leaving: false })
  })
  const timer = setInterval(say, EVERY_MS).unref()
  say()
  return {
    say,
    async close() {
      clearInterval(timer)
      await stopServing()
      say(true)
    },
  }
}

const encode = (report: CoordinatorReport) => new TextEncoder().encode(JSON.stringify(report))
