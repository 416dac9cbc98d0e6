import type { CoordinatorReport, Coordinators } from '../domain/ports/coordinators.ts'
import { Problem } from '../http/problem.ts'

export type QueueAdmission = {
  /** @throws Problem `queue_full` */
  requireRoom(): void
  /** One more session waits. */
  accepted(): void
}

/** When no coordinator has said how many may wait. */
const DEFAULT_CAPACITY = 10_000
/** Those who are turned away come again at different times. */
const RETRY_AFTER_S = { least: 2, most: 10 }

/**
 * Knows from the coordinators how many sessions wait for their turn, and counts those that this process has accepted since they last said so. While
 * none is heard of, what they said last and all that was accepted since counts.
 */
export function queueAdmission(coordinators: Pick<Coordinators, 'listen' | 'reports'>): QueueAdmission {
  let accepted = 0
  /** What waited when each coordinator spoke last, and how many had been accepted by then. */
  const heard = new Map<string, { depth: number; capacity: number; accepted: number }>()
  const hear = ({ coordinatorId, leaving, queue }: CoordinatorReport) => {
    // A coordinator that is gone leaves its sessions to the others; when there are none, its last words still hold.
    const alive = new Set(coordinators.reports().map((report) => report.coordinatorId))
    for (const id of heard.keys()) if (alive.size > 0 && !alive.has(id)) heard.delete(id)
    if (!leaving || alive.size === 0) heard.set(coordinatorId, { ...queue, accepted })
  }
  coordinators.reports().forEach(hear)
  coordinators.listen(hear)

  return {
    requireRoom() {
      const known = [...heard.values()]
      const waiting = known.reduce((sum, { depth }) => sum + depth, 0)
      const since = accepted - Math.min(...known.map((each) => each.accepted), known.length === 0 ? 0 : accepted)
      const capacity = known.length === 0 ? DEFAULT_CAPACITY : Math.min(...known.map((each) => each.capacity))
      if (waiting + since < capacity) return
      const { least, most } = RETRY_AFTER_S
      const seconds = least + Math.floor(Math.random() * (most - least + 1))
      throw new Problem('queue_full', `${capacity} signing sessions wait for their turn`, { headers: { 'Retry-After': String(seconds) } })
    },
    accepted() {
      accepted++
    },
  }
}
