import { MAX_AGE_SECONDS, verifyApproval } from '../domain/authorisation/approvals.ts'
import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import { AuthorisationRefused } from '../domain/authorisation/refused.ts'
import { requestDigest } from '../domain/authorisation/request.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import type { Personal } from '../domain/personal-data/sealed.ts'
import { strictestApprovals } from '../domain/policy/evaluate.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { requireTransfer, statusOf } from '../domain/wallet/transfers/holdings.ts'
import { requireWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { Problem } from '../http/problem.ts'
import { route } from '../http/route.ts'
import { DecideApprovalBody } from './decide-approval.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { unlessRefused } from './intents.ts'
import { load } from './load.ts'
import { inClear } from './personal-data.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findTransfer } from './tenancy.ts'

type Rules = Pick<CommandDependencies, 'verify'> & { approvals: NonNullable<KeyPolicy['approvals']>; now: Date }

export const approveTransfer = ({ log, verify }: Pick<CommandDependencies, 'log' | 'verify'>) =>
  route({
    method: 'POST',
    path: '/v1/transfers/:transferId/approvals',
    tag: 'transfers',
    summary: 'Approve or reject a transfer that waits for approvers',
    roles: ['approver'],
    intent: true,
    body: DecideApprovalBody,
    answers: { 200: { description: 'The decision was recorded' } },
    async handle(request) {
      const { transferId } = request.params
      const { walletId, tenant } = await findTransfer(log, transferId, request.principal)
      const aggregate = { decider: wallet, stream: walletStream(walletId) }
      const { state, position } = await execute(
        log,
        aggregate,
        async (): Promise<WalletCommand> => {
          const owner = requireWallet((await load(log, aggregate)).state)
          const transfer = requireTransfer(owner, transferId)
          const approvals = strictestApprovals(owner.policy)
          // Nobody is left who could approve: what the policy in force says decides.
          if (!approvals) return { type: 'ReviseTransfer', transferId }
          const authorisation = authorisationOf(request)
          const rules = { approvals, verify, now: new Date() }
          const { kid: approver } = unlessRefused('Quorate-Intent', () =>
            verifyApproval(authorisation, approvals, { verify, now: rules.now.getTime() }),
          )
          const open = (given: Personal<Authorisation>) => inClear(log, walletId, 'authorisation', given)
          requireSameRequest(await open(transfer.authorisation), request.body)
          const approvedBy = await Promise.all(transfer.approvedBy.map(open))
          return {
            type: 'DecideTransfer',
            transferId,
            approver,
            decision: request.body.decision,
            authorisation,
            lapsed: transfer.granted.filter((_, index) => !holds(approvedBy[index]!, rules)),
            now: rules.now.toISOString(),
          }
        },
        contextOf(request, tenant),
      )
      return { status: 200, body: { transferId, status: statusOf(requireWallet(state), transferId) }, position }
    },
  })

/** Whether an approval that was given earlier would be taken under the policy in force. */
function holds(approval: Authorisation, { approvals, verify, now }: Rules): boolean {
  try {
    verifyApproval(approval, approvals, { verify, now: now.getTime(), maxAgeSeconds: MAX_AGE_SECONDS })
    return true
  } catch (error) {
    if (!(error instanceof AuthorisationRefused)) throw error
    return false
  }
}

/** Who says what he has seen is shown nothing else in its place. @throws Problem `request_mismatch` */
function requireSameRequest(authorisation: Authorisation, { requestDigest: seen }: DecideApprovalBody): void {
  if (seen === undefined || seen === requestDigest(authorisation)) return
  const detail = 'the transfer is for another request'
  throw new Problem('request_mismatch', detail, { errors: [{ pointer: '/requestDigest', code: 'request_mismatch', detail }] })
}
