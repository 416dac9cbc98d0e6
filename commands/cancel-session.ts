import { signingSessionStream } from '../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../domain/signing-session/signing-session.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { ReasonBody } from './reason-body.ts'
import { contextOf } from './request-context.ts'
import { findSession, findWallet } from './tenancy.ts'

export const cancelSession = ({ log, verify }: CommandDependencies) =>
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
      const { tenant, walletId } = await findSession(log, sessionId, request.principal)
      requireIntent(request, await findWallet(log, walletId, request.principal), verify)
      const { state, position } = await execute(
        log,
        { decider: signingSession, stream: signingSessionStream(sessionId) },
        (): SigningSessionCommand => ({ type: 'CancelSession', by: request.principal.sub }),
        contextOf(request, tenant),
      )
      return { status: 200, body: { sessionId, status: state.status }, position }
    },
  })
