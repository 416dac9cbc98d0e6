import { DomainError } from '../domain/domain-error.ts'
import { openPersonal } from '../domain/personal-data/personal-fields.ts'
import { isSealed, type Personal } from '../domain/personal-data/sealed.ts'
import type { DataKeys } from '../domain/ports/data-keys.ts'
import type { AggregateLog } from './load.ts'

/** A field of a wallet's events, as it was before it was sealed. @throws DomainError `personal_data_erased`; UnsealFailed, Unavailable */
export async function inClear<T>(log: AggregateLog, walletId: string, field: string, value: Personal<T>): Promise<T> {
  if (!isSealed(value)) return value as T
  const opened = await openPersonal<T>(requireDataKeys(log), walletId, field, value)
  if (opened === undefined) throw new DomainError('personal_data_erased', `the ${field} has been erased`)
  return opened
}

/** For a promise's `catch`: undefined in the place of what has been erased. */
export function unlessErased(error: unknown): undefined {
  if (!(error instanceof DomainError && error.code === 'personal_data_erased')) throw error
}

/** What sealed fields are opened with, and erased by. A log without it knows of none. */
export function requireDataKeys({ dataKeys }: AggregateLog): DataKeys {
  if (!dataKeys) throw new Error('the log was opened without data keys')
  return dataKeys
}
