import type { Messages } from '../../domain/ports/messages.ts'
import { type BuildProgress, buildProgress } from '../../queries/build-progress.ts'
import { parseFeedMessage } from '../../queries/feed-message.ts'

/** When a build of a projection was heard to hold everything up to a position, in all of its partitions; milliseconds of this process's clock. */
export type Announcement = { position: bigint; at: number }

export type Announcements = {
  /** With rising positions. */
  of(projection: string): readonly Announcement[]
  /** Resolves when each of these, or else each that is listened to, holds everything up to the position. @throws Error after `withinMs` */
  reached(position: bigint, options: { withinMs: number; projections?: readonly string[] }): Promise<void>
  stop(): void
}

/** Listens to what projections announce of their progress. Subscribe before they start: what was said before is not said again. */
export function listenForAnnouncements(messages: Messages, projections: readonly string[]): Announcements {
  const heard = new Map<string, Announcement[]>(projections.map((name) => [name, []]))
  const builds = new Map<string, BuildProgress>()
  const waiting = new Set<() => void>()
  const unsubscribes = projections.map((name) =>
    messages.subscribe(`quorate.projection.${name}`, (payload) => {
      const message = parseFeedMessage(payload)
      if (!message) return
      const build = builds.get(message.build) ?? buildProgress(0)
      builds.set(message.build, build)
      if (!build.reached(message.partitions, message.position)) return
      const announcements = heard.get(name) as Announcement[]
      const position = build.position() ?? -1n
      if (position <= (announcements.at(-1)?.position ?? -1n)) return
      announcements.push({ position, at: performance.now() })
      for (const look of waiting) look()
    }),
  )
  const holds = (name: string, position: bigint) => (heard.get(name)?.at(-1)?.position ?? -1n) >= position

  return {
    of: (name) => heard.get(name) ?? [],
    reached: (position, { withinMs, projections: wanted = projections }) =>
      new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(late)
          waiting.delete(look)
        }
        const look = () => {
          if (!wanted.every((name) => holds(name, position))) return
          finish()
          resolve()
        }
        const late = setTimeout(() => {
          finish()
          const behind = wanted.filter((name) => !holds(name, position))
          reject(new Error(`not caught up within ${Math.round(withinMs / 1000)} s: ${behind.join(', ')}`))
        }, withinMs)
        waiting.add(look)
        look()
      }),
    stop() {
      for (const unsubscribe of unsubscribes) unsubscribe()
    },
  }
}
