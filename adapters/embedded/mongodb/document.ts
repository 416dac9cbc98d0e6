/** A BSON document as plain values. */
export type Doc = { [field: string]: unknown }

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

/** How many levels of documents and arrays may be within a document. */
export const MAX_DEPTH = 180

/** True for a plain object, false for arrays, dates and the classes of BSON values. */
export function isDocument(value: unknown): value is Doc {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

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
