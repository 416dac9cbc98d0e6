import { Refusal } from '../domain/ceremony/refusal.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { participate } from './ceremony.ts'
import type { ShareRecord } from './share-record.ts'
import type { ShareStore } from './share-store.ts'

export type BanDependencies = {
  shares: Pick<ShareStore, 'banned' | 'ban'>
  /** Told of a ban that has not come to its end. */
  onFailure(error: unknown): void
}

/**
 * Uses the key with this counterparty no more, and destroys what its shares hold for that. Done again it changes nothing, or what was left to do. It holds
 * at once, and does not fail: who is asked to sign has somebody to refuse, whatever becomes of the disk.
 */
export async function banCounterparty(
  { shares, onFailure }: BanDependencies,
  { keyId, scheme, parties }: ShareRecord,
  counterparty: string,
): Promise<void> {
  const { withoutCounterparty } = protocolOf(scheme)
  if (!withoutCounterparty) throw new Error(`in ${scheme} there is nothing to destroy`)
  const number = parties.indexOf(counterparty) + 1
  try {
    await participate(() =>
      shares.ban(keyId, counterparty, (share, { publicPackage }) => withoutCounterparty({ share, publicPackage }, number)),
    )
  } catch (error) {
    onFailure(new Error(`${counterparty} is banned from ${keyId}, but not all of that is on the disk`, { cause: error }))
  }
}

/** @throws Refusal `counterparty_banned` naming those of the signers with whom this party uses the key no more */
export async function requireNoneBanned(dependencies: BanDependencies, record: ShareRecord, signers: readonly string[]): Promise<void> {
  if (!protocolOf(record.scheme).withoutCounterparty) return
  const banned = await dependencies.shares.banned(record.keyId)
  const among = signers.filter((id) => banned.includes(id))
  if (among.length === 0) return
  // The party may have died before it came to the end of it, or the disk may have been full.
  for (const counterparty of among) await banCounterparty(dependencies, record, counterparty)
  throw new Refusal('counterparty_banned', `this party does not sign with ${among.join(', ')} any more`, among)
}
