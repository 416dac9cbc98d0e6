import type { JsonObject } from '../domain/ports/event-log.ts'
import { TERMINAL_STATUSES } from '../domain/signing-session/signing-session.ts'
import { storedPayload } from '../domain/signing-session/stored-payload.ts'
import { route } from '../http/route.ts'
import { present } from './present.ts'
import { awaitDocument, entityTag, hasStatus, preferenceApplied, type ReadModels } from './read-model.ts'
import { SESSION } from './shapes.ts'

export const getSigningSession = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/signing-sessions/:sessionId',
    tag: 'signing',
    summary: 'A signing session, and its signature',
    roles: ['client', 'approver', 'auditor'],
    waits: true,
    answers: { 200: { description: 'The session', schema: SESSION } },
    async handle(request) {
      const sought = {
        model: 'signing_sessions',
        id: request.params.sessionId,
        parameter: 'sessionId',
        isOver: hasStatus(TERMINAL_STATUSES),
      } as const
      const { document, asOf } = await awaitDocument(models, request, sought)
      const body = { ...present(document, SESSION), payload: storedPayload(document.payload as JsonObject) }
      return { status: 200, body, ...asOf, etag: entityTag(document), headers: preferenceApplied(request) }
    },
  })
