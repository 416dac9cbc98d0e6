import { Binary } from 'bson'
import { CommandError } from './errors.ts'

/** A BSON document as plain values. Once stored it is never changed: an update makes a new one. */
export type Doc = { [field: string]: unknown }

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
const MAX_DEPTH = 180

/** True for a plain object, false for arrays, dates and the classes of BSON values. */
export const isDocument = (value: unknown): value is Doc =>
  typeof value === 'object' && value !== null && (value.constructor === Object || value.constructor === undefined)

/** The field itself, never something inherited from a prototype. */
export const ownField = (container: object, field: string): unknown =>
  Object.hasOwn(container, field) ? (container as Doc)[field] : undefined

/** Copies objects and arrays; scalars and BSON values are shared, for nothing ever changes them. */
export function cloneValue<T>(value: T): T {
  if (Array.isArray(value)) return value.map(cloneValue) as T
  if (!isDocument(value)) return value
  const copy: Doc = {}
  for (const field of Object.keys(value)) copy[field] = cloneValue(value[field])
  return copy as T
}

/**
 * Makes a freshly decoded document safe to keep: nesting is bounded, binary values no longer point into the network buffer,
 * and expressions carry BSON's `s` option as JavaScript's `s` (the codec reads it as `g`, which would make matching stateful).
 */
export function settle<T>(value: T, depth = 0): T {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new CommandError('Overflow', `BSON documents nest at most ${MAX_DEPTH} levels`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = settle(value[i], depth + 1)
  } else if (value instanceof Binary) {
    value.buffer = Uint8Array.prototype.slice.call(value.buffer)
  } else if (value instanceof RegExp) {
    return value.global ? (new RegExp(value.source, value.flags.replace('g', 's')) as T) : value
  } else if (isDocument(value)) {
    for (const field of Object.keys(value)) {
      if (field === '__proto__') throw new CommandError('BadValue', 'the field name __proto__ is not supported')
      const child = value[field]
      if (typeof child === 'object' && child !== null) (value as Doc)[field] = settle(child, depth + 1)
    }
  }
  return value
}
