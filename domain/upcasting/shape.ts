import { isSealed } from '../personal-data/sealed.ts'

/**
 * Whether a value is what it should be. Made of plain checks, because every event that is read passes through one. What it is made of is there to be
 * looked at: the shapes of its fields, or those that it puts together, and whether what it is about are people.
 */
export type Shape = ((value: unknown) => boolean) & {
  readonly fields?: { readonly [field: string]: Shape }
  readonly parts?: readonly Shape[]
  readonly isPersonal?: true
}

export const text: Shape = (value) => typeof value === 'string'
export const flag: Shape = (value) => typeof value === 'boolean'
/** A whole number that is exact. */
export const whole: Shape = Number.isSafeInteger

export const oneOf =
  (...values: readonly string[]): Shape =>
  (value) =>
    values.includes(value as string)

export const listOf = (item: Shape): Shape =>
  Object.assign((value: unknown) => Array.isArray(value) && value.every((each) => item(each)), { parts: [item] })

export const orNull = (shape: Shape): Shape => Object.assign((value: unknown) => value === null || shape(value), { parts: [shape] })

/** A field that may be left out. */
export const optional = (shape: Shape): Shape => Object.assign((value: unknown) => value === undefined || shape(value), { parts: [shape] })

export const either = (...shapes: readonly Shape[]): Shape =>
  Object.assign((value: unknown) => shapes.some((shape) => shape(value)), { parts: shapes })

/** A value that may have been sealed where it came from. */
export const sealable = (shape: Shape): Shape => Object.assign((value: unknown) => isSealed(value) || shape(value), { parts: [shape] })

/** A field that is about people: it is stored sealed. */
export const personal = (shape: Shape): Shape => Object.assign(sealable(shape), { isPersonal: true } as const)

/** An object with these fields; more may be there. */
export function fields(shapes: { readonly [field: string]: Shape }): Shape {
  const checks = Object.entries(shapes)
  const hasFields = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return false
    for (const [field, shape] of checks) if (!shape((value as { [field: string]: unknown })[field])) return false
    return true
  }
  return Object.assign(hasFields, { fields: shapes })
}

/** An object with values of one shape, whatever their names. */
export const recordOf = (shape: Shape): Shape =>
  Object.assign((value: unknown) => typeof value === 'object' && value !== null && Object.values(value).every((each) => shape(each)), {
    parts: [shape],
  })
