import { MalformedJson, readFields } from '../../domain/json/strict-json.ts'
import { InvalidSetting } from '../process/settings.ts'

/** The value as an object with none but these fields. @throws InvalidSetting with `name` in front */
export function fieldsOf(name: string, value: unknown, fields: readonly string[]): { readonly [field: string]: unknown } {
  try {
    return readFields(value, [], fields)
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw new InvalidSetting(`${name}: ${error.message}`)
  }
}

/** @throws InvalidSetting with `name` in front */
export function wholeNumber(name: string, field: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    throw new InvalidSetting(`${name}: ${field} must be a whole number from ${least} to ${most}`)
  return value as number
}
