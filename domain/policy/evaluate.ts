import type { Decision, Finding, Requirements } from './decision.ts'
import type { Limit, Listed, Tier, TransferRules, Value } from './rules.ts'
import { centsOf, usdOf } from './usd.ts'

/** The part of a policy that transfers are judged by; approvers of a wallet's or a share's policy alike. */
export type JudgedPolicy = {
  readonly approvals?: { required: number; approvers: readonly { kid: string }[] } | null
  readonly transfers?: TransferRules
}

/** A transfer, as it is judged. Addresses and ids are in their one spelling. */
export type JudgedTransfer = Moved & {
  /** CAIP-2. */
  readonly chain: string
  readonly to: string
  /** The most that it can cost, in the native coin. */
  readonly fee: bigint
}

/** What was moved before, or is to be: base units, and cents of US dollars, null when nobody knows what they are worth. */
export type Moved = { readonly asset: string; readonly amount: bigint; readonly usdCents: bigint | null; readonly at: number }

type Verdict = { readonly finding: Finding; readonly tier?: Tier }

/**
 * What the policy says of a transfer, pure: whoever knows policy, transfer and history comes to the same decision. What is not known is taken for the worst
 * case: it is more than any limit, and above any tier.
 * @param history what was moved before, those at least that are as old as the longest window; times in ms since the epoch
 */
export function evaluate(policy: JudgedPolicy, transfer: JudgedTransfer, history: readonly Moved[]): Decision {
  const verdicts = verdictsOn(policy.transfers ?? {}, transfer, history)
  const tiers = verdicts.flatMap(({ tier }) => tier ?? [])
  const requires = requirements(policy, tiers)
  const findings = [...generalApprovals(policy), ...verdicts.map(({ finding }) => finding)]
  return { outcome: findings.some(({ outcome }) => outcome === 'denied') ? 'denied' : 'allowed', findings, requires }
}

/** The most that a transaction may cost: what the client has said, but no more than the policy says, and what the chain says where neither does. */
export function feeBound(rules: TransferRules | undefined, chain: string, wanted: bigint | null, ceiling: bigint): bigint {
  const bounds = (rules?.fees ?? []).filter((rule) => rule.chain === chain).map(({ atMost }) => BigInt(atMost))
  if (bounds.length === 0) return wanted ?? ceiling
  return least(wanted === null ? bounds : [...bounds, wanted])
}

/**
 * As many approvals as any transfer takes; null when none takes any. A change of the policy takes no fewer, so that nobody lifts a tier who could not pass it.
 */
export function strictestApprovals<Approver>({ approvals, transfers }: ApprovedBy<Approver>): Approvals<Approver> | null {
  return withTiers({ approvals, transfers }, transfers?.tiers ?? [])
}

type Approvals<Approver> = { required: number; approvers: readonly Approver[] }
type ApprovedBy<Approver> = {
  readonly approvals?: Approvals<Approver> | null | undefined
  readonly transfers?: (Omit<TransferRules, 'approvers'> & { approvers?: readonly Approver[] }) | undefined
}

function withTiers<Approver>({ approvals, transfers }: ApprovedBy<Approver>, tiers: readonly Tier[]): Approvals<Approver> | null {
  const required = Math.max(approvals?.required ?? 0, ...tiers.map((tier) => tier.approvals ?? 0))
  return required === 0 ? null : { required, approvers: approvals?.approvers ?? transfers?.approvers ?? [] }
}

function requirements(policy: JudgedPolicy, tiers: readonly Tier[]): Requirements {
  const approvals = withTiers<{ kid: string }>(policy, tiers)
  return {
    approvals: approvals && { required: approvals.required, approvers: approvals.approvers.map(({ kid }) => kid) },
    signers: Math.max(0, ...tiers.map(({ signers }) => signers ?? 0)),
    delaySeconds: Math.max(0, ...tiers.map(({ delaySeconds }) => delaySeconds ?? 0)),
  }
}

function generalApprovals({ approvals }: JudgedPolicy): Finding[] {
  if (!approvals) return []
  const { required, approvers } = approvals
  const because = `${required} of ${approvers.length} approvers must agree to whatever the wallet signs`
  return [{ rule: 'approvals', outcome: 'required', because, numbers: { required, approvers: approvers.length } }]
}

function verdictsOn(rules: TransferRules, transfer: JudgedTransfer, history: readonly Moved[]): Verdict[] {
  const { chain, asset, to } = transfer
  const { chains, assets, destinations, fees = [], limits = [], tiers = [] } = rules
  return [
    ...onList('chains', chains, chain),
    ...onList('assets', assets, asset),
    ...onList('destinations', destinations, `${chain}:${to}`),
    ...fees.filter((rule) => rule.chain === chain).map(({ id, atMost }) => ({ finding: onFee(id, BigInt(atMost), transfer.fee) })),
    ...limits.filter(({ atMost }) => isAbout(atMost, asset)).map((limit) => ({ finding: onLimit(limit, transfer, history) })),
    ...tiers.filter(({ above }) => isAbout(above, asset)).map((tier) => onTier(tier, transfer)),
  ]
}

const isAbout = (value: Value, asset: string) => 'usd' in value || value.asset === asset

/** Denied is what reads the same in any case: who has written an address in another case than its own has still meant it. */
function onList(rule: string, list: Listed | undefined, entry: string): Verdict[] {
  if (!list) return []
  const { allow, deny = [] } = list
  const folded = entry.toLowerCase()
  const finding = (part: string, outcome: Finding['outcome'], because: string, listed: number): Verdict => ({
    finding: { rule: `${rule}.${part}`, outcome, because: `${entry} ${because}`, numbers: { listed } },
  })
  if (deny.some((denied) => denied.toLowerCase() === folded)) return [finding('deny', 'denied', 'is denied', deny.length)]
  if (!allow) return [finding('deny', 'passed', 'is not denied', deny.length)]
  if (!allow.includes(entry)) return [finding('allow', 'denied', 'is not among those allowed', allow.length)]
  return [finding('allow', 'passed', 'is allowed', allow.length)]
}

function onFee(rule: string, atMost: bigint, fee: bigint): Finding {
  const isMore = fee > atMost
  return {
    rule,
    outcome: isMore ? 'denied' : 'passed',
    because: `a fee of ${fee} is ${isMore ? 'more than' : 'within'} ${atMost}`,
    numbers: { fee: String(fee), atMost: String(atMost) },
  }
}

function onLimit({ id: rule, atMost, windowSeconds }: Limit, transfer: JudgedTransfer, history: readonly Moved[]): Finding {
  const before = windowSeconds === undefined ? [] : history.filter(({ at }) => at > transfer.at - windowSeconds * 1000)
  const { limit, measure, name } = scaleOf(atMost)
  const moved = sum(before, measure)
  const wanted = measure(transfer)
  const total = moved === null || wanted === null ? null : moved + wanted
  const isMore = total === null || total > limit
  const window = windowSeconds === undefined ? '' : ` in ${windowSeconds} s`
  const what = total === null ? 'an unknown value' : name(total)
  return {
    rule,
    outcome: isMore ? 'denied' : 'passed',
    because: `${what}${window} is ${isMore ? 'more than' : 'within'} ${name(limit)}`,
    numbers: {
      wanted: wanted === null ? null : figure(atMost, wanted),
      ...(windowSeconds === undefined ? {} : { movedBefore: moved === null ? null : figure(atMost, moved), windowSeconds }),
      atMost: figure(atMost, limit),
    },
  }
}

function onTier(tier: Tier, transfer: JudgedTransfer): Verdict {
  const { id: rule, above, signers, approvals, delaySeconds } = tier
  const { limit, measure, name } = scaleOf(above)
  const wanted = measure(transfer)
  const numbers = { wanted: wanted === null ? null : figure(above, wanted), above: figure(above, limit) }
  if (wanted !== null && wanted <= limit)
    return { finding: { rule, outcome: 'passed', because: `${name(wanted)} is not above ${name(limit)}`, numbers } }
  return {
    tier,
    finding: {
      rule,
      outcome: 'required',
      because: `${wanted === null ? 'an unknown value' : name(wanted)} is above ${name(limit)}`,
      numbers: {
        ...numbers,
        ...(signers === undefined ? {} : { signers }),
        ...(approvals === undefined ? {} : { approvals }),
        ...(delaySeconds === undefined ? {} : { delaySeconds }),
      },
    },
  }
}

type Scale = { limit: bigint; measure: (moved: Moved) => bigint | null; name: (amount: bigint) => string }

function scaleOf(value: Value): Scale {
  if ('usd' in value) return { limit: centsOf(value.usd), measure: ({ usdCents }) => usdCents, name: (cents) => `${usdOf(cents)} USD` }
  const measure = ({ asset, amount }: Moved) => (asset === value.asset ? amount : 0n)
  return { limit: BigInt(value.amount), measure, name: (amount) => `${amount} of ${value.asset}` }
}

const figure = (value: Value, amount: bigint): string => ('usd' in value ? usdOf(amount) : String(amount))

function sum(moved: readonly Moved[], measure: Scale['measure']): bigint | null {
  let total = 0n
  for (const each of moved) {
    const amount = measure(each)
    if (amount === null) return null
    total += amount
  }
  return total
}

const least = (numbers: readonly bigint[]): bigint => numbers.reduce((one, other) => (other < one ? other : one))
