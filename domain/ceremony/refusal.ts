import type { RefusalCode, Refused } from './messages.ts'

/** A party does not do what it is asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly culprits: readonly string[] = [],
  ) {
    super(message)
  }
}

export const refused = ({ code, message, culprits }: Refusal): Refused => ({ type: 'refused', code, reason: message, culprits })
