import type { WorkerReport } from '../domain/ports/projections.ts'

/** Workers report every second; one that has missed three is gone. */
const SILENT_AFTER_MS = 3_500
/** More than a deployment can have. */
const MAX_WORKERS = 256

export type Membership = {
  /** Ids of the workers that follow the build, this one among them. */
  following(build: string): string[]
  /** Takes note of a report, this worker's own too, which comes back to it. True when who follows what is not as before. */
  hear(report: WorkerReport): boolean
}

type Member = { heardAt: number; builds: string }

/**
 * Which workers are alive, from what they say of themselves. Their silence counts only while this worker hears itself: what says nothing at all is
 * the broker, and then everybody works on as before.
 */
export function membership(workerId: string, now: () => number = Date.now): Membership {
  const others = new Map<string, Member>()
  let heardMyself = now()

  /** True when somebody is gone. */
  function hearMyself(): boolean {
    const heardBefore = heardMyself
    heardMyself = now()
    if (heardMyself - heardBefore > SILENT_AFTER_MS) {
      for (const member of others.values()) member.heardAt = heardMyself
      return false
    }
    const silent = [...others].filter(([, { heardAt }]) => heardMyself - heardAt > SILENT_AFTER_MS)
    for (const [id] of silent) others.delete(id)
    return silent.length > 0
  }

  return {
    following: (build) => [workerId, ...[...others].filter(([, { builds }]) => builds.split(' ').includes(build)).map(([id]) => id)],

    hear(report) {
      if (report.workerId === workerId) return hearMyself()
      if (report.leaving) return others.delete(report.workerId)
      const known = others.get(report.workerId)
      if (!known && others.size >= MAX_WORKERS) return false
      const builds = report.builds.map(({ build }) => build).join(' ')
      others.set(report.workerId, { heardAt: now(), builds })
      return known?.builds !== builds
    },
  }
}
