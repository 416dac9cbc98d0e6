import type { Deposit, Deposits } from '../../../domain/ports/chain-node.ts'
import { EndpointFailure } from '../rpc/failures.ts'
import type { Cluster } from './cluster.ts'
import { creditsIn } from './credits.ts'

type Chain = { readonly id: string; readonly nativeAsset: string }

/** Nodes of one provider may be so many slots apart; those behind are not to be taken to know of nothing new. */
const SLOTS_APART = 8n

/**
 * What transactions that name the addresses, or their accounts for tokens, have brought in since the slot that the cursor names. Of each, those are looked at that
 * the cluster says have named it: slots are too many, and too full, to look through them all.
 */
export async function depositsSince(
  chain: Chain,
  cluster: Cluster,
  addresses: ReadonlySet<string>,
  cursor: string | null,
): Promise<Deposits> {
  const newest = await cluster.slot()
  const until = newest < SLOTS_APART ? newest : newest - SLOTS_APART
  const since = cursor === null ? until : BigInt(cursor)
  if (since >= until) return { found: [], cursor: String(since), height: since, isAtHead: true }
  const found = new Map<string, Deposit>()
  for (const owner of addresses)
    for (const address of [owner, ...(await cluster.tokenAccounts(owner, until))])
      for (const signature of await signaturesIn(cluster, address, { since, until }))
        for (const deposit of await depositsIn(chain, cluster, signature, addresses)) found.set(deposit.id, deposit)
  return { found: [...found.values()], cursor: String(until), height: until, isAtHead: true }
}

/** Of transactions that name the address and did not fail, in slots after `since` up to `until`. */
async function signaturesIn(
  cluster: Cluster,
  address: string,
  { since, until }: { since: bigint; until: bigint },
): Promise<readonly string[]> {
  const found: string[] = []
  for (let before: string | undefined; ; ) {
    const page = await cluster.signaturesOf(address, before, until)
    const later = page.filter(({ slot }) => slot > since)
    found.push(...later.filter(({ slot, hasFailed }) => slot <= until && !hasFailed).map(({ signature }) => signature))
    if (page.length === 0 || later.length < page.length) return found
    before = page.at(-1)!.signature
  }
}

async function depositsIn(chain: Chain, cluster: Cluster, hash: string, addresses: ReadonlySet<string>): Promise<readonly Deposit[]> {
  const mined = await cluster.transaction(hash)
  const blockhash = mined && (await cluster.blockhash(mined.slot))
  // It was there a moment ago: another node answers, which is behind.
  if (!mined || !blockhash) throw new EndpointFailure('unable', false)
  const block = { height: mined.slot, hash: blockhash }
  return creditsIn(chain, hash, mined, addresses).map((credit) => ({ ...credit, block }))
}
