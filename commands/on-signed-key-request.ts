import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import type { Answer, RouteRequest } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { contextOf } from './request-context.ts'
import { findKey, findWallet } from './tenancy.ts'

/** Handles a request about a key that a client of its wallet has signed: carries out what `command` makes of it. */
export function onSignedKeyRequest<Body>(
  { log, verify }: CommandDependencies,
  command: (request: RouteRequest<'/v1/keys/:keyId', Body>) => KeyShareCommand,
): (request: RouteRequest<'/v1/keys/:keyId', Body>) => Promise<Answer> {
  return async (request) => {
    const { keyId } = request.params
    const { tenant, walletId } = await findKey(log, keyId, request.principal)
    requireIntent(request, await findWallet(log, walletId, request.principal), verify)
    const aggregate = { decider: keyShare, stream: keyShareStream(keyId) }
    const { position } = await execute(log, aggregate, () => command(request), contextOf(request, tenant))
    return { status: 202, body: { keyId }, location: `/v1/keys/${keyId}`, position }
  }
}
