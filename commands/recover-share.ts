import { Matches } from 'class-validator'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'
import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findKey, findWallet } from './tenancy.ts'

export class RecoverShareBody {
  @Matches(ID_PATTERN) party!: string
}

export const recoverShare = ({ log, verify }: CommandDependencies) =>
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
    async handle(request) {
      const { keyId } = request.params
      const { tenant, walletId } = await findKey(log, keyId, request.principal)
      requireIntent(request, await findWallet(log, walletId, request.principal), verify)
      const { position } = await execute(
        log,
        { decider: keyShare, stream: keyShareStream(keyId) },
        (): KeyShareCommand => ({
          type: 'RequestShareRecovery',
          partyId: request.body.party,
          authorisation: authorisationOf(request),
        }),
        contextOf(request, tenant),
      )
      return { status: 202, body: { keyId }, location: `/v1/keys/${keyId}`, position }
    },
  })
