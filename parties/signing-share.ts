import type { ShareReference } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import type { StoredShare } from './share-record.ts'
import type { ShareStore } from './share-store.ts'

/** The share that a request means. @throws Refusal as `ShareStore.find`, and `share_mismatch` when it is of another scheme or epoch */
export async function findSigningShare(shares: ShareStore, scheme: Scheme, reference: ShareReference): Promise<StoredShare> {
  const stored = await shares.find(reference)
  if (stored.record.scheme !== scheme) throw new Refusal('share_mismatch', 'the key is of another scheme')
  if (stored.record.epoch !== reference.epoch) throw new Refusal('share_mismatch', 'the share is of another epoch')
  return stored
}
