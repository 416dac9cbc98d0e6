import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { ReasonBody } from './reason-body.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findKey } from './tenancy.ts'

export const refreshKey = ({ log }: CommandDependencies) =>
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
    async handle(request) {
      const { keyId } = request.params
      const { tenant } = await findKey(log, keyId, request.principal)
      const { position } = await execute(
        log,
        { decider: keyShare, stream: keyShareStream(keyId) },
        (): KeyShareCommand => ({ type: 'RequestKeyRefresh', authorisation: authorisationOf(request) }),
        contextOf(request, tenant),
      )
      return { status: 202, body: { keyId }, location: `/v1/keys/${keyId}`, position }
    },
  })
