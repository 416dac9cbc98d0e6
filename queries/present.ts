/** From documents to what clients see: the fields that a shape names, and no others. */
import type { Document } from '../domain/ports/documents.ts'
import type { Json } from '../domain/ports/event-log.ts'

/** JSON Schema of an object that clients see; `required` fields are always there, others only when they have a value. */
export type Shape = {
  readonly title: string
  readonly type: 'object'
  readonly required: readonly string[]
  readonly properties: { readonly [field: string]: object }
}

/** Positions leave as decimal strings, because other languages read JSON numbers as they please. */
export function present(document: Document, { properties, required }: Shape): { [field: string]: Json } {
  const view: { [field: string]: Json } = {}
  for (const field of Object.keys(properties)) {
    const value = document[field] ?? null
    if (value === null && !required.includes(field)) continue
    view[field] = field === 'position' ? String(value) : value
  }
  return view
}
