import { Refusal } from '../domain/ceremony/refusal.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { participate } from './ceremony.ts'
import type { ShareRecord } from './share-record.ts'
import type { ShareStore } from './share-store.ts'

type Bans = Pick<ShareStore, 'banned' | 'ban'>

/** Uses the key with this counterparty no more, and destroys what its shares hold for that. Done again it changes nothing. @throws Refusal, Unavailable */
export function banCounterparty(shares: Bans, { keyId, scheme, parties }: ShareRecord, counterparty: string): Promise<void> {
  const { withoutCounterparty } = protocolOf(scheme)
  if (!withoutCounterparty) throw new Error(`in ${scheme} there is nothing to destroy`)
  const number = parties.indexOf(counterparty) + 1
  return participate(() =>
    shares.ban(keyId, counterparty, (share, { publicPackage }) => withoutCounterparty({ share, publicPackage }, number)),
  )
}

/** @throws Refusal `counterparty_banned` naming those of the signers with whom this party uses the key no more */
export async function requireNoneBanned(shares: Bans, record: ShareRecord, signers: readonly string[]): Promise<void> {
  if (!protocolOf(record.scheme).withoutCounterparty) return
  const banned = await shares.banned(record.keyId)
  const among = signers.filter((id) => banned.includes(id))
  if (among.length === 0) return
  // The party may have died before it came to the end of it.
  for (const counterparty of among) await banCounterparty(shares, record, counterparty)
  throw new Refusal('counterparty_banned', `this party does not sign with ${among.join(', ')} any more`, among)
}
