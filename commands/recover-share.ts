import { Matches } from 'class-validator'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { onSignedKeyRequest } from './on-signed-key-request.ts'
import { authorisationOf } from './request-context.ts'

export class RecoverShareBody {
  @Matches(ID_PATTERN) party!: string
}

export const recoverShare = (dependencies: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/keys/:keyId/recover',
    tag: 'keys',
    summary: 'Give a party the share back that it has lost',
    description: 'As many other holders as sign make it together; none of them learns it, and nobody learns the key.',
    roles: ['client'],
    intent: true,
    body: RecoverShareBody,
    answers: { 202: { description: "The recovery has begun; the key's `recovery` says how it stands" } },
    handle: onSignedKeyRequest<RecoverShareBody>(dependencies, (request) => ({
      type: 'RequestShareRecovery',
      partyId: request.body.party,
      authorisation: authorisationOf(request),
    })),
  })
