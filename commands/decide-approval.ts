import { IsIn, IsOptional, Matches } from 'class-validator'
import { MAX_AGE_SECONDS, verifyApproval } from '../domain/authorisation/approvals.ts'
import type { VerifyJws } from '../domain/authorisation/intent.ts'
import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import { AuthorisationRefused } from '../domain/authorisation/refused.ts'
import { requestDigest } from '../domain/authorisation/request.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import { signingSessionStream } from '../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../domain/signing-session/signing-session.ts'
import { Problem } from '../http/problem.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { unlessRefused } from './intents.ts'
import { inClear } from './personal-data.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findSession, findWallet } from './tenancy.ts'

export class DecideApprovalBody {
  @IsIn(['approve', 'reject']) decision!: 'approve' | 'reject'
  @IsOptional() @Matches(/^[0-9a-f]{64}$/) requestDigest?: string
}

export const decideApproval = ({ log, verify }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/signing-sessions/:sessionId/approvals',
    tag: 'signing',
    summary: 'Approve or reject a signature that waits for approvers',
    roles: ['approver'],
    intent: true,
    body: DecideApprovalBody,
    answers: { 200: { description: 'The decision was recorded' } },
    async handle(request) {
      const { sessionId } = request.params
      const session = await findSession(log, sessionId, request.principal)
      const { state, position } = await execute(
        log,
        { decider: signingSession, stream: signingSessionStream(sessionId) },
        async (): Promise<SigningSessionCommand> => {
          const { policy } = await findWallet(log, session.walletId, request.principal)
          if (!policy.approvals) return { type: 'GiveUpApproval' }
          const { approvals } = policy
          const authorisation = authorisationOf(request)
          const now = new Date()
          const { kid: approver } = unlessRefused('Quorate-Intent', () =>
            verifyApproval(authorisation, approvals, { verify, now: now.getTime() }),
          )
          requireSameRequest(await inClear(log, session.walletId, 'authorisation', session.authorisation), request.body)
          return {
            type: 'DecideApproval',
            approver,
            decision: request.body.decision,
            authorisation,
            approvals: { required: approvals.required, approvers: approvals.approvers.map(({ kid }) => kid) },
            lapsed: session.granted.filter((_, index) => !holds(session.approvedBy[index]!, approvals, { verify, now })),
            now: now.toISOString(),
          }
        },
        contextOf(request, session.tenant),
      )
      return { status: 200, body: { sessionId, status: state.status }, position }
    },
  })

/** Whether an approval that was given earlier would be taken under the policy in force. */
function holds(approval: Authorisation, approvals: NonNullable<KeyPolicy['approvals']>, rules: { verify: VerifyJws; now: Date }): boolean {
  try {
    verifyApproval(approval, approvals, { verify: rules.verify, now: rules.now.getTime(), maxAgeSeconds: MAX_AGE_SECONDS })
    return true
  } catch (error) {
    if (!(error instanceof AuthorisationRefused)) throw error
    return false
  }
}

/** Who says what he has seen is shown nothing else in its place. @throws Problem `request_mismatch` */
function requireSameRequest(authorisation: Authorisation, { requestDigest: seen }: DecideApprovalBody): void {
  if (seen === undefined || seen === requestDigest(authorisation)) return
  const detail = 'the session is for another request'
  throw new Problem('request_mismatch', detail, { errors: [{ pointer: '/requestDigest', code: 'request_mismatch', detail }] })
}
