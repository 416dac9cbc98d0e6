import { BEGINNING, type Build, type Builds, BuildUnderWay, PARTITIONS, type ProjectionStore } from '../domain/ports/projections.ts'
import type { Projection } from './projection.ts'

/** A build that a worker of this version of the projection follows; `visible` is what readers see. */
export type Followed = { projection: Projection; build: Build; role: 'active' | 'building'; visible: boolean }

/**
 * The builds there are, one being begun where there is none, or none but older ones. A worker that is older than what is there leaves it alone.
 * @throws Unavailable
 */
export async function ensureBuild({ name, version }: Projection, store: Pick<ProjectionStore, 'builds' | 'begin'>): Promise<Builds> {
  const builds = await store.builds(name)
  if (newestVersion(builds) >= version) return builds
  await beginUnlessUnderWay(store, name, version)
  return store.builds(name)
}

/** @throws Unavailable */
export async function beginUnlessUnderWay(store: Pick<ProjectionStore, 'begin'>, projection: string, version: number): Promise<void> {
  try {
    await store.begin(projection, version)
  } catch (error) {
    if (!(error instanceof BuildUnderWay)) throw error
  }
}

/** The builds of the projection's own version: those of another are for workers of that version. */
export function buildsToFollow(projection: Projection, { active, building }: Builds): Followed[] {
  const followed: Followed[] = []
  if (active?.version === projection.version) followed.push({ projection, build: active, role: 'active', visible: true })
  if (building?.version === projection.version)
    followed.push({ projection, build: building, role: 'building', visible: active === undefined })
  return followed
}

function newestVersion({ active, building }: Builds): number {
  return Math.max(active?.version ?? 0, building?.version ?? 0)
}

/** Turns readers to a build when it has caught up. */
export type TakeOver = {
  /** `readTo` is how far the log has been read while nothing older is left. True when it is done. @throws Unavailable, BuildGone */
  attempt(readTo: bigint): Promise<boolean>
}

/** A build has caught up when all its partitions, whoever keeps them, hold what was in the log at the first attempt, and all that readers had seen. */
export function takeOver(build: Build, store: Pick<ProjectionStore, 'builds' | 'state' | 'activate'>): TakeOver {
  let goal: bigint | undefined
  return {
    async attempt(readTo) {
      goal ??= highest([readTo, ...(await seenByReaders(build.projection, store))])
      const { checkpoints } = await store.state(build)
      for (let partition = 0; partition < PARTITIONS; partition++)
        if ((checkpoints.get(partition) ?? BEGINNING).position < goal) return false
      await store.activate(build)
      return true
    },
  }
}

async function seenByReaders(projection: string, store: Pick<ProjectionStore, 'builds' | 'state'>): Promise<bigint[]> {
  const { active } = await store.builds(projection)
  return active ? [...(await store.state(active)).checkpoints.values()].map(({ position }) => position) : []
}

const highest = (positions: readonly bigint[]): bigint => positions.reduce((a, b) => (b > a ? b : a))

/** Drops what is left of builds that are no longer in use, when for a grace time nothing has changed: readers may not have turned away at once. */
export type Retirement = { attend(projection: Projection, builds: Builds): Promise<void> }

export function retirement(store: Pick<ProjectionStore, 'dropRetired'>, graceMs: number): Retirement {
  const seen = new Map<string, { inUse: string; since: number; dropped: boolean }>()
  return {
    async attend({ name, collections }, { active, building }) {
      const inUse = `${active?.id} ${building?.id}`
      const last = seen.get(name)
      if (last?.inUse !== inUse) seen.set(name, { inUse, since: Date.now(), dropped: false })
      else if (!last.dropped && Date.now() - last.since >= graceMs) {
        await store.dropRetired(name, collections)
        last.dropped = true
      }
    },
  }
}
