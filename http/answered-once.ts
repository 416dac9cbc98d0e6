import { DomainError } from '../domain/domain-error.ts'
import type { Answer, RouteRequest } from './route.ts'

const REMEMBERED = 1_000

type Command = Pick<RouteRequest, 'commandId' | 'requestDigest' | 'idempotencyKey'>

/**
 * Idempotency of commands that leave no event behind: given again under its key, a command is answered as it was the first time and not carried out
 * again. That holds for the last thousand of this process; a command that failed is carried out again.
 */
export function answeredOnce(): (command: Command, carryOut: () => Promise<Answer>) => Promise<Answer> {
  const answered = new Map<string, { requestDigest: string; answer: Answer }>()
  return async ({ commandId, requestDigest, idempotencyKey }, carryOut) => {
    const before = answered.get(commandId)
    if (before && before.requestDigest !== requestDigest)
      throw new DomainError('idempotency_key_reused', 'the idempotency key was used for a different request')
    if (before) return before.answer
    const answer = await carryOut()
    if (idempotencyKey !== null) {
      answered.set(commandId, { requestDigest, answer })
      const oldest = answered.size > REMEMBERED ? answered.keys().next().value : undefined
      if (oldest !== undefined) answered.delete(oldest)
    }
    return answer
  }
}
