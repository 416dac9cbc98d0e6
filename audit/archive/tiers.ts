import { SEGMENTS } from '../../domain/archive/manifest.ts'
import type { ArchiveStore, StoredObject } from '../../domain/ports/archive.ts'
import { type ArchiveKey, readManifests, requireManifest } from './manifests.ts'

const DAY_MS = 24 * 60 * 60 * 1_000

/** Files of segments, in which tier each is, and whether one that is cold can be read. */
export async function tiersOf(store: Pick<ArchiveStore, 'list'>): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of store.list(SEGMENTS)) found.push(object)
  return found
}

/**
 * Moves segments whose last event is so old to the cold tier, but not the hashes, by which proofs are made.
 * @returns the files that were moved
 */
export async function tierSegments(store: ArchiveStore, key: ArchiveKey, coldDays: number, now = Date.now()): Promise<readonly string[]> {
  const warm = new Set((await tiersOf(store)).filter(({ tier }) => tier === 'warm').map(({ name }) => name))
  const moved: string[] = []
  for await (const manifest of readManifests(store, key)) {
    if (now - Date.parse(manifest.times[1]) < coldDays * DAY_MS) break
    if (!warm.has(manifest.segment.name)) continue
    await store.moveTo('cold', manifest.segment.name)
    moved.push(manifest.segment.name)
  }
  return moved
}

/** Asks for segments of the cold tier to be readable for some days; `tiersOf` tells when they are. */
export async function retrieveSegments(
  store: ArchiveStore,
  key: ArchiveKey,
  { from, to }: { readonly from: number; readonly to: number },
  days: number,
): Promise<readonly string[]> {
  const cold = new Set(
    (await tiersOf(store)).filter(({ tier, retrieval }) => tier === 'cold' && retrieval === 'none').map(({ name }) => name),
  )
  const requested: string[] = []
  for (let number = from; number <= to; number++) {
    const { segment } = await requireManifest(store, number, key)
    if (!cold.has(segment.name)) continue
    await store.retrieve(segment.name, days)
    requested.push(segment.name)
  }
  return requested
}

/** Numbers of the segments that have to be asked for before they can be read. */
export async function coldSegments(store: ArchiveStore, key: ArchiveKey): Promise<readonly number[]> {
  const unreadable = new Set(
    (await tiersOf(store)).filter(({ tier, retrieval }) => tier === 'cold' && retrieval !== 'readable').map(({ name }) => name),
  )
  const cold: number[] = []
  for await (const { number, segment } of readManifests(store, key)) if (unreadable.has(segment.name)) cold.push(number)
  return cold
}
