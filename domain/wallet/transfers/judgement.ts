import { DomainError } from '../../domain-error.ts'
import type { Decision } from '../../policy/decision.ts'
import { evaluate, type Moved } from '../../policy/evaluate.ts'
import { forgotten, type History, movedIn } from '../../policy/history.ts'
import type { RequestedTransfer, TransferRequirements } from './events.ts'
import type { Holder } from './holdings.ts'
import type { Transfer } from './transfer.ts'

/** How the policy in force judges a transfer that is asked for at this time, ms since the epoch. */
export function judged({ policy, moved }: Pick<Holder, 'policy' | 'moved'>, wanted: RequestedTransfer, at: number): Decision {
  return judgedAfter(policy, wanted, at, moved)
}

/** How it judges one that was asked for before, which does not count against itself. */
export function judgedAgain({ policy, moved }: Holder, transfer: Transfer): Decision {
  const at = Date.parse(transfer.requestedAt)
  return judgedAfter(policy, transfer, at, forgotten(moved, movedBy(transfer, at)))
}

/** What a transfer adds to what was moved. */
export const movedBy = ({ asset, amount, usdCents }: RequestedTransfer, at: number): Moved => ({
  asset,
  at,
  amount: BigInt(amount),
  usdCents: usdCents === null ? null : BigInt(usdCents),
})

/** What a decision requires, from the time at which the transfer was asked for on. */
export function requirementsOf({ requires }: Decision, requestedAt: number): TransferRequirements {
  const { approvals, signers, delaySeconds } = requires
  return { approvals, signers, notBefore: delaySeconds === 0 ? null : new Date(requestedAt + delaySeconds * 1000).toISOString() }
}

/** The first rule that speaks against it. */
export const denialIn = ({ findings }: Decision) => findings.find(({ outcome }) => outcome === 'denied')

/** @throws DomainError `policy_denied` naming the rule */
export function requireAllowed(decision: Decision): void {
  const denial = denialIn(decision)
  if (denial) throw new DomainError('policy_denied', `${denial.rule}: ${denial.because}`, pointerTo(denial.rule), denial.rule)
}

/** Where in the request that stands which a rule speaks against. */
function pointerTo(rule: string): string {
  if (rule.startsWith('destinations.')) return '/to'
  if (rule.startsWith('assets.')) return '/asset'
  if (rule.startsWith('chains.')) return '/chain'
  return '/amount'
}

function judgedAfter(policy: Holder['policy'], wanted: RequestedTransfer, at: number, history: History): Decision {
  const { chain, to, maxFee, quotedFee } = wanted
  return evaluate(policy, { ...movedBy(wanted, at), chain, to, fee: BigInt(maxFee ?? quotedFee) }, movedIn(history))
}
