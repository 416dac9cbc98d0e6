import type { ExecutionContext } from 'ava'
import { type PartyIndex, ProtocolAbort, type ProtocolAbortCode } from '../protocol.ts'

/** Asserts that a protocol is aborted for this reason, and who is named; what it says of it. */
export function throwsAbort(
  t: ExecutionContext,
  act: () => unknown,
  code: ProtocolAbortCode,
  culprits: readonly PartyIndex[] = [],
  message?: string,
): string | undefined {
  const abort = t.throws(act, { instanceOf: ProtocolAbort }, message)
  t.is(abort?.code, code, message)
  t.deepEqual(abort?.culprits, culprits, message)
  return abort?.message
}
