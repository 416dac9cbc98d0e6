import { MANIFESTS, type Manifest, manifestName, readManifest } from '../../domain/archive/manifest.ts'
import type { Hash } from '../../domain/audit/merkle-tree.ts'
import type { NoteKey } from '../../domain/audit/signed-note.ts'
import type { ArchiveStore } from '../../domain/ports/archive.ts'
import type { VerifyIdentity } from '../../domain/ports/identity.ts'

export type ArchiveKey = { readonly key: NoteKey; readonly verify: VerifyIdentity }

/** A manifest and the hash that the next one gives. */
export type ReadManifest = { readonly manifest: Manifest; readonly hash: Hash }

/** How many there are names of, by the last name. */
export async function countManifests(store: Pick<ArchiveStore, 'list'>): Promise<number> {
  let last: string | undefined
  for await (const { name } of store.list(MANIFESTS)) last = name
  return last === undefined ? 0 : numberIn(last) + 1
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

const numberIn = (name: string) => Number(/(\d+)\.json$/.exec(name)?.[1] ?? -1)
