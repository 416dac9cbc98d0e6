/** Whether a value is what it should be. Made of plain checks, because every event that is read passes through one. */
export type Shape = (value: unknown) => boolean

export const text: Shape = (value) => typeof value === 'string'
export const flag: Shape = (value) => typeof value === 'boolean'
/** A whole number that is exact. */
export const whole: Shape = Number.isSafeInteger

export const oneOf =
  (...values: readonly string[]): Shape =>
  (value) =>
    values.includes(value as string)

export const listOf =
  (item: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.every(item)

export const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value)

/** A field that may be left out. */
export const optional =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || shape(value)

export const either =
  (...shapes: readonly Shape[]): Shape =>
  (value) =>
    shapes.some((shape) => shape(value))

/** An object with these fields; more may be there. */
export function fields(shapes: { readonly [field: string]: Shape }): Shape {
  const checks = Object.entries(shapes)
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    for (const [field, shape] of checks) if (!shape((value as { [field: string]: unknown })[field])) return false
    return true
  }
}

/** An object with values of one shape, whatever their names. */
export const recordOf =
  (shape: Shape): Shape =>
  (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(shape)
