import { MANIFESTS, type Manifest, manifestName, readManifest } from '../../domain/archive/manifest.ts'
import type { Hash } from '../../domain/audit/merkle-tree.ts'
import type { NoteKey } from '../../domain/audit/signed-note.ts'
import { type ArchiveStore, SegmentUnreadable } from '../../domain/ports/archive.ts'
import type { VerifyIdentity } from '../../domain/ports/identity.ts'

const NAME = /^manifests\/(\d{8})\.json$/

export type ArchiveKey = { readonly key: NoteKey; readonly verify: VerifyIdentity }

/** A manifest and the hash that the next one gives. */
export type ReadManifest = { readonly manifest: Manifest; readonly hash: Hash }

/** The numbers that there are manifests of, in their order. */
export async function manifestNumbers(store: Pick<ArchiveStore, 'list'>): Promise<readonly number[]> {
  const numbers: number[] = []
  for await (const { name } of store.list(MANIFESTS)) {
    const number = Number(NAME.exec(name)?.[1] ?? Number.NaN)
    if (manifestName(number) === name) numbers.push(number)
  }
  return numbers.sort((one, other) => one - other)
}

/** How many there are, if none is missing. */
export async function countManifests(store: Pick<ArchiveStore, 'list'>): Promise<number> {
  return ((await manifestNumbers(store)).at(-1) ?? -1) + 1
}

/** Undefined when there is none of that number. @throws NoteRefused unless it is signed by the key */
export async function manifestAt(
  store: Pick<ArchiveStore, 'get'>,
  number: number,
  { key, verify }: ArchiveKey,
): Promise<ReadManifest | undefined> {
  const stored = await store.get(manifestName(number))
  return stored && readManifest(Buffer.from(stored).toString('utf8'), key, verify)
}

/** @throws SegmentUnreadable when there is none of that number, NoteRefused */
export async function requireManifest(store: Pick<ArchiveStore, 'get'>, number: number, key: ArchiveKey): Promise<Manifest> {
  const read = await manifestAt(store, number, key)
  if (read?.manifest.number !== number) throw new SegmentUnreadable(`the manifest of segment ${number} is missing`)
  return read.manifest
}

/** All in their order. @throws SegmentUnreadable when one is missing, NoteRefused */
export async function* readManifests(store: Pick<ArchiveStore, 'get' | 'list'>, key: ArchiveKey): AsyncGenerator<Manifest> {
  const count = await countManifests(store)
  for (let number = 0; number < count; number++) yield await requireManifest(store, number, key)
}
