import { IsIn } from 'class-validator'
import { signingSessionStream } from '../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../domain/signing-session/signing-session.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { contextOf } from './request-context.ts'
import { findSession } from './tenancy.ts'

export class DecideApprovalBody {
  @IsIn(['approve', 'reject']) decision!: 'approve' | 'reject'
}

export const decideApproval = ({ log }: CommandDependencies) =>
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
      const { tenant } = await findSession(log, sessionId, request.principal)
      const { state, position } = await execute(
        log,
        { decider: signingSession, stream: signingSessionStream(sessionId) },
        (): SigningSessionCommand => ({
          type: 'DecideApproval',
          approver: request.principal.sub,
          decision: request.body.decision,
          now: new Date().toISOString(),
        }),
        contextOf(request, tenant),
      )
      return { status: 200, body: { sessionId, status: state.status }, position }
    },
  })
