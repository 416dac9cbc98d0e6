import { type Intent, type VerifyJws, verifyIntent } from '../domain/authorisation/intent.ts'
import { AuthorisationRefused } from '../domain/authorisation/refused.ts'
import type { ExistingWallet } from '../domain/wallet/wallet.ts'
import { PROBLEMS, Problem } from '../http/problem.ts'
import type { RouteRequest } from '../http/route.ts'
import { authorisationOf } from './request-context.ts'

/**
 * Refuses early what the parties would refuse: that a client of the wallet has signed this request. They do not take the API's word for it.
 * @throws Problem `intent_…`
 */
export function requireIntent(request: RouteRequest<string, unknown>, { clientKeys }: ExistingWallet, verify: VerifyJws): Intent {
  return unlessRefused('Quorate-Intent', () => verifyIntent(authorisationOf(request), { keys: clientKeys, verify, now: Date.now() }))
}

/** What a check of the domain says, as a problem with this header. @throws Problem */
export function unlessRefused<Result>(header: string, check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof AuthorisationRefused)) throw error
    const { code, message } = error
    const headers: { [name: string]: string } = PROBLEMS[code].status === 401 ? { 'WWW-Authenticate': 'Intent realm="quorate"' } : {}
    throw new Problem(code, message, { errors: [{ header, code, detail: message }], headers, cause: error })
  }
}
