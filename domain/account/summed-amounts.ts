/**
 * Amounts of base units, in documents that can only be added to. A store adds numbers exactly up to 2^53, and a token may have 2^256 units: an amount is kept as
 * sums of its groups of six decimal digits, each of which has room for more than 2^33 additions. Groups may be negative, or carry over: only what they
 * make together counts.
 */
const GROUP = 1_000_000n

/** What has to be added to the groups at this path for the amount, which may be negative. */
export function additionOf(path: string, amount: bigint): { [path: string]: number } {
  const sign = amount < 0n ? -1 : 1
  const groups: { [path: string]: number } = {}
  let rest = amount < 0n ? -amount : amount
  for (let index = 0; rest > 0n; index++) {
    const group = Number(rest % GROUP)
    if (group > 0) groups[`${path}.${index}`] = sign * group
    rest /= GROUP
  }
  return groups
}

/** The amount that groups, as a document has them, make together. */
export function sumOf(groups: { readonly [index: string]: number } | null | undefined): bigint {
  let sum = 0n
  for (const [index, group] of Object.entries(groups ?? {})) sum += BigInt(group) * GROUP ** BigInt(index)
  return sum
}
