import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { onSignedKeyRequest } from './on-signed-key-request.ts'
import { ReasonBody } from './reason-body.ts'
import { authorisationOf } from './request-context.ts'

export const revokeKey = (dependencies: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/keys/:keyId/revoke',
    tag: 'keys',
    summary: 'Revoke a key for ever',
    description: 'It signs nothing from now on, and every party destroys its share.',
    roles: ['client'],
    intent: true,
    body: ReasonBody,
    answers: { 202: { description: 'The key is revoked; its shares are being destroyed' } },
    handle: onSignedKeyRequest<ReasonBody>(dependencies, (request) => ({
      type: 'RevokeKey',
      reason: request.body.reason ?? '',
      authorisation: authorisationOf(request),
    })),
  })
