import { DomainError } from '../../domain-error.ts'
import type { Decision } from '../../policy/decision.ts'
import type { DecideTransfer } from './commands.ts'
import { ended, expireTransfer, identityOf, rejectTransfer } from './ending.ts'
import type { TransferEvent, TransferRequirements } from './events.ts'
import type { Holder } from './holdings.ts'
import { denialIn, judgedAgain, requirementsOf } from './judgement.ts'
import type { Transfer } from './transfer.ts'

/**
 * An approver's word, under the policy in force: parties judge by it when they sign. So approvals by those whom it does not name any more count no longer, and a
 * transfer that it denies by now is rejected.
 * @throws DomainError `transfer_not_pending_approval`, `not_an_approver`, `already_decided`
 */
export function decideTransferApproval(holder: Holder, transfer: Transfer, decided: DecideTransfer): readonly TransferEvent[] {
  if (transfer.status !== 'pending_approval') throw new DomainError('transfer_not_pending_approval', `the transfer is ${transfer.status}`)
  const expired = expireTransfer(holder, transfer, decided.now)
  if (expired.length > 0) return expired
  const revision = revised(holder, transfer, decided.lapsed)
  if (revision.kind === 'rejected') return revision.events
  const { requires, granted, refused, events } = revision
  if (!requires.approvals) return events
  const { approver, decision, authorisation } = decided
  const { required, approvers } = requires.approvals
  if (!approvers.includes(approver)) throw new DomainError('not_an_approver', 'the policy does not name this approver')
  if ((decision === 'approve' ? granted : refused).includes(approver)) return events
  if ((decision === 'approve' ? refused : granted).includes(approver))
    throw new DomainError('already_decided', 'this approver has decided otherwise')
  const data = { ...identityOf(holder, transfer), approver, authorisation }
  if (decision === 'approve') {
    const status = granted.length + 1 >= required ? 'queued' : 'pending_approval'
    return [...events, { type: 'TransferApproved', data: { ...data, status } }]
  }
  if (approvers.length - (refused.length + 1) >= required)
    return [...events, { type: 'TransferApprovalRejected', data: { ...data, status: 'pending_approval' } }]
  return [...events, ...ended(holder, transfer, { type: 'TransferApprovalRejected', data: { ...data, status: 'rejected' } })]
}

/**
 * What the policy in force makes of a transfer that was judged by an earlier one: nothing when it says the same.
 * @param lapsed approvers whose approvals would not be taken any more
 */
export function revised(holder: Holder, transfer: Transfer, lapsed: readonly string[] = []): Revision {
  const isSamePolicy = transfer.policyVersion === holder.policyVersion
  if (isSamePolicy && lapsed.length === 0) return { kind: 'kept', ...kept(transfer.requires, transfer, lapsed), events: [] }
  const decision = judgedAgain(holder, transfer)
  const denial = denialIn(decision)
  if (denial) return { kind: 'rejected', events: rejectTransfer(holder, transfer, 'policy_denied', denial.rule) }
  const requires = requirementsOf(decision, Date.parse(transfer.requestedAt))
  const now = kept(requires, transfer, lapsed)
  return { kind: 'kept', ...now, events: [revision(holder, transfer, decision, now)] }
}

export type Revision =
  | { kind: 'rejected'; events: readonly TransferEvent[] }
  | {
      kind: 'kept'
      requires: TransferRequirements
      granted: readonly string[]
      refused: readonly string[]
      events: readonly TransferEvent[]
    }

/** Whether as many have agreed as have to. */
export const isApproved = ({ requires, granted }: Pick<Transfer, 'requires' | 'granted'>): boolean =>
  granted.length >= (requires.approvals?.required ?? 0)

function kept(requires: TransferRequirements, { granted, refused }: Transfer, lapsed: readonly string[]) {
  const isNamed = (each: string) => requires.approvals?.approvers.includes(each) ?? false
  return { requires, granted: granted.filter((each) => isNamed(each) && !lapsed.includes(each)), refused: refused.filter(isNamed) }
}

const revision = (
  holder: Holder,
  transfer: Transfer,
  decision: Decision,
  { requires, granted, refused }: ReturnType<typeof kept>,
): TransferEvent => ({
  type: 'TransferApprovalsRevised',
  data: { ...identityOf(holder, transfer), decision, requires, granted, refused },
})
