import { signingSessionStream } from '../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../domain/signing-session/signing-session.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { ReasonBody } from './reason-body.ts'
import { contextOf } from './request-context.ts'
import { findSession } from './tenancy.ts'

export const cancelSession = ({ log }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/signing-sessions/:sessionId/cancel',
    tag: 'signing',
    summary: 'Cancel a signing session that has not ended',
    roles: ['client'],
    intent: true,
    body: ReasonBody,
    answers: { 200: { description: 'The session is cancelled' } },
    async handle(request) {
      const { sessionId } = request.params
      const { tenant } = await findSession(log, sessionId, request.principal)
      const { state, position } = await execute(
        log,
        { decider: signingSession, stream: signingSessionStream(sessionId) },
        (): SigningSessionCommand => ({ type: 'CancelSession', by: request.principal.sub }),
        contextOf(request, tenant),
      )
      return { status: 200, body: { sessionId, status: state.status }, position }
    },
  })
