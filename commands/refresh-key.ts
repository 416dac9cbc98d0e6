import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { onSignedKeyRequest } from './on-signed-key-request.ts'
import { ReasonBody } from './reason-body.ts'
import { authorisationOf } from './request-context.ts'

export const refreshKey = (dependencies: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/keys/:keyId/refresh',
    tag: 'keys',
    summary: 'Give every holder of a key a new share',
    description:
      'The public key stays. Old and new shares do not go together, and the old ones are destroyed once every party has its new one.',
    roles: ['client'],
    intent: true,
    body: ReasonBody,
    answers: { 202: { description: 'The refresh has begun; when the key is `active` again, its `epoch` says whether it has come about' } },
    handle: onSignedKeyRequest<ReasonBody>(dependencies, (request) => ({
      type: 'RequestKeyRefresh',
      authorisation: authorisationOf(request),
    })),
  })
