import type { ShareReference } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
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

/**
 * What was allowed when it was begun may be forbidden by now: nothing leaves of a key that was revoked meanwhile, or that has come into another epoch or under
 * another policy.
 * @throws Refusal as `ShareStore.find`, and `policy_changed`
 */
export async function requireStillAllowed(shares: Pick<ShareStore, 'find'>, { record }: StoredShare): Promise<void> {
  const now = await shares.find(record)
  if (!equalBytes(now.record.policy, record.policy)) throw new Refusal('policy_changed', 'the key has come under another policy meanwhile')
}
