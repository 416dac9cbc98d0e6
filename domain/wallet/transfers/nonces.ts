/** What an account counts its transactions by: the next number, and those that were given out and not used. Decimal strings. */
export type Nonces = { next: string; free: readonly string[] }

/** By account, in the order in which they were used last. */
export type NoncesOfAccounts = { readonly [accountId: string]: Nonces }

/** Accounts whose numbers are known; of another one the chain is asked again, as of one that was never used. */
const MAX_ACCOUNTS = 2_000

/**
 * The nonce of an account's next transaction: one that was not used, else the next one.
 * @param observed the chain's. It is where counting begins; afterwards it counts as long as the account has nothing under way, because somebody may have used the
 * key elsewhere
 * @param held those of the account's transfers that are under way
 */
export function nextNonce(known: Nonces | undefined, observed: bigint, held: readonly bigint[]): bigint {
  const from = held.length === 0 ? observed : 0n
  const free = known?.free.map(BigInt).find((nonce) => nonce >= from)
  if (free !== undefined) return free
  return [from, known ? BigInt(known.next) : observed, ...held.map((nonce) => nonce + 1n)].reduce((one, other) =>
    other > one ? other : one,
  )
}

/** Once this nonce is given out. */
export function allocated(all: NoncesOfAccounts, accountId: string, nonce: string): NoncesOfAccounts {
  const known = all[accountId]
  const isNew = !known || BigInt(nonce) >= BigInt(known.next)
  const free = (known?.free ?? []).filter((each) => BigInt(each) > BigInt(nonce))
  return keptLast(all, accountId, { next: isNew ? String(BigInt(nonce) + 1n) : known.next, free })
}

/** Once it is known that no transaction with this nonce can be there. */
export function givenBack(all: NoncesOfAccounts, accountId: string, nonce: string): NoncesOfAccounts {
  const known = all[accountId]
  if (!known) return all
  const free = [...known.free, nonce].sort((one, other) => (BigInt(one) < BigInt(other) ? -1 : 1))
  return keptLast(all, accountId, { ...known, free })
}

function keptLast(all: NoncesOfAccounts, accountId: string, nonces: Nonces): NoncesOfAccounts {
  const { [accountId]: _, ...others } = all
  const kept = Object.entries(others).slice(1 - MAX_ACCOUNTS)
  return { ...Object.fromEntries(kept), [accountId]: nonces }
}
