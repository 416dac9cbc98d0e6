import { DomainError } from '../domain-error.ts'
import { pointerToken } from '../json/json-pointer.ts'

/** What is wrong with the typed data at this JSON Pointer. */
export const typedDataInvalid = (at: string, detail: string) => new DomainError('typed_data_invalid', detail, at)

export type Fields = { readonly [name: string]: unknown }

/** @throws DomainError `typed_data_invalid` */
export function readObject(value: unknown, at: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw typedDataInvalid(at, 'must be an object')
  return value as Fields
}

/** The value as an object with exactly these fields: what would not be signed may not be there to be read. @throws DomainError `typed_data_invalid` */
export function readExactFields(value: unknown, names: readonly string[], at: string): Fields {
  const fields = readObject(value, at)
  const missing = names.find((name) => !Object.hasOwn(fields, name))
  if (missing !== undefined) throw typedDataInvalid(at + pointerToken(missing), 'is required')
  const surplus = Object.keys(fields).find((name) => !names.includes(name))
  if (surplus !== undefined) throw typedDataInvalid(at + pointerToken(surplus), 'is no field here, and would not be signed')
  return fields
}
