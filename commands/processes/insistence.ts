import { AUTHORISATION_CODES } from '../../domain/authorisation/refused.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { CeremonyFailed } from './rounds.ts'

/** Holders of a key refuse for good what all of them must do. No other try can change that, so it is for a person to look at. */
export class RefusedForGood extends Error {
  override readonly name = 'RefusedForGood'
}

/** Approvals may still come, and clocks go on. */
const PASSING: readonly string[] = ['approvals_missing', 'intent_not_yet_valid']
const FINAL: readonly string[] = [...AUTHORISATION_CODES.filter((code) => !PASSING.includes(code)), 'intent_reused', 'policy_out_of_order']

/**
 * Has all holders of a key do what each must do sooner or later, once more each time that it is called; `task` says what that is.
 * @throws Unavailable while any of those that have not done it may still do it, RefusedForGood when none of them will
 */
export async function insist<Result>(task: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof CeremonyFailed)) throw error
    const undone = `${task} by ${error.failures.map(({ code, culprits }) => `${culprits.join(', ')} (${code})`).join(', ')}`
    if (error.failures.every(({ code }) => FINAL.includes(code))) throw new RefusedForGood(`refused for good: ${undone}`, { cause: error })
    throw new Unavailable(undone, { cause: error })
  }
}

/** For a promise's `catch`: what has not been done, now or for good, is left to whoever is to see that it is. */
export function unlessUndone(error: unknown): void {
  if (!(error instanceof Unavailable || error instanceof RefusedForGood)) throw error
}
