import type { Deposit } from '../../../domain/ports/chain-node.ts'
import { gainOf, type MinedTransaction } from './cluster.ts'
import { TOKEN } from './programs.ts'

export type Credit = Omit<Deposit, 'block'>

/** What a transaction has brought in for these addresses: more of the coin, or of a token in the accounts of which they are the owners. */
export function creditsIn(
  chain: { readonly id: string; readonly nativeAsset: string },
  hash: string,
  mined: MinedTransaction,
  addresses: ReadonlySet<string>,
): readonly Credit[] {
  const { accounts, hasFailed, tokensBefore, tokensAfter } = mined
  if (hasFailed) return []
  const from = accounts[0] ?? null
  const coins = accounts.flatMap((to, index): Credit[] => {
    const amount = addresses.has(to) ? gainOf(mined, index) : 0n
    if (amount <= 0n) return []
    return [{ id: `${hash}:${index}`, hash, to, asset: chain.nativeAsset, amount, from: from === to ? null : from }]
  })
  const tokens = tokensAfter.flatMap(({ account, mint, owner, program, amount: held }): Credit[] => {
    const amount = held - (tokensBefore.find((each) => each.account === account)?.amount ?? 0n)
    if (amount <= 0n || program !== TOKEN || !addresses.has(owner)) return []
    return [{ id: `${hash}:${account}:${mint}`, hash, to: owner, asset: `${chain.id}/token:${mint}`, amount, from }]
  })
  return [...coins, ...tokens]
}
