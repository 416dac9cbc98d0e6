import { parsePath } from '../domain/threshold/derivation-path.ts'
import type { Opened } from '../domain/threshold/protocol.ts'
import type { Allowed } from './allowance.ts'
import { participate } from './ceremony.ts'
import type { StoredShare } from './share-record.ts'
import type { ShareStore } from './share-store.ts'

/** This party's part of a signature that is allowed; `broadcasts` are what all signers have opened with, by their ids. @throws Refusal, Unavailable */
export function contribute(
  opened: Opened,
  broadcasts: ReadonlyMap<string, Uint8Array>,
  { shares, stored, message, path }: Allowed & { shares: Pick<ShareStore, 'use'>; stored: StoredShare },
): Promise<Uint8Array> {
  const { parties, publicPackage } = stored.record
  const numbered = new Map([...broadcasts].map(([partyId, broadcast]) => [parties.indexOf(partyId) + 1, broadcast]))
  const task = { path: parsePath(path), signers: [...numbered.keys()], message }
  return participate(() => shares.use(stored, (share) => opened.contribute({ ...task, key: { share, publicPackage } }, numbered)), parties)
}
