import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { ReasonBody } from './reason-body.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findKey, findWallet } from './tenancy.ts'

export const revokeKey = ({ log, verify }: CommandDependencies) =>
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
    async handle(request) {
      const { keyId } = request.params
      const { tenant, walletId } = await findKey(log, keyId, request.principal)
      requireIntent(request, await findWallet(log, walletId, request.principal), verify)
      const { position } = await execute(
        log,
        { decider: keyShare, stream: keyShareStream(keyId) },
        (): KeyShareCommand => ({ type: 'RevokeKey', reason: request.body.reason ?? '', authorisation: authorisationOf(request) }),
        contextOf(request, tenant),
      )
      return { status: 202, body: { keyId }, location: `/v1/keys/${keyId}`, position }
    },
  })
