import type { Authorisation } from '../domain/key-share/events.ts'
import type { RouteRequest } from '../http/route.ts'
import type { CommandContext } from './execute.ts'

/** The context of a command that comes from an HTTP request, acting for the tenant that owns what it acts on. */
export function contextOf(request: RouteRequest<string, unknown>, tenant: string): CommandContext {
  const { commandId, correlationId, principal, traceparent, requestDigest } = request
  return { commandId, correlationId, causationId: commandId, actor: principal.sub, tenant, traceparent, requestDigest }
}

/** The request as the client signed it, for the parties to check. */
export function authorisationOf({ method, path, rawBody, intent }: RouteRequest<string, unknown>): Authorisation {
  return { method, path, body: rawBody.toString('utf8'), intent }
}
