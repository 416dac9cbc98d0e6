import type { Authorisation } from '../domain/key-share/events.ts'
import { isSealed, type Personal } from '../domain/personal-data/sealed.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'

/** The request that approvers are to sign, as it was sent: they sign what they have seen. A sealed one is opened when it is shown. */
export function shownRequest(authorisation: Personal<Authorisation>): JsonObject {
  if (isSealed(authorisation)) return { ...authorisation }
  const { method, path, body } = authorisation
  return { method, path, body }
}
