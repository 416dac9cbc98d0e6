import type { BuildReport } from '../domain/ports/projections.ts'
import type { Feed } from './feed.ts'
import type { Follower } from './follower.ts'

/** What a worker says of the builds that it follows; `failure` is why the log cannot be read, if it cannot. */
export function buildReports(followers: readonly Follower[], feeds: readonly Feed[], failure: string | null): BuildReport[] {
  const read = Math.max(0, ...feeds.map((feed) => feed.at().events + feed.waiting()))
  return followers.map((follower) => {
    const feed = feeds.find((each) => each.followers.includes(follower))
    const { position, events } = follower.at()
    const currentAt = follower.failure() === null ? feed?.currentAt() : undefined
    return {
      projection: follower.projection.name,
      version: follower.projection.version,
      build: follower.build.id,
      role: follower.role,
      partitions: follower.partitions,
      position: position < 0n ? null : String(position),
      lagEvents: feed ? Math.max(0, read - events) : 0,
      lagMs: feed?.lagMs() ?? 0,
      currentAt: currentAt === undefined ? null : new Date(currentAt).toISOString(),
      events,
      parked: follower.parked().length,
      failure: follower.failure() ?? (feed && !feed.isConnected() ? failure : null),
    }
  })
}
