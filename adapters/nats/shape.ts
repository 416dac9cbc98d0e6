/** Reads a decoded value as what it must be. @throws Malformed */
export type Read<T> = (value: unknown) => T

/** A value is not what it must be; where and why, never the value itself. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

export function text(max: number, pattern?: RegExp): Read<string> {
  return (value) => {
    if (typeof value !== 'string' || value.length > max || (pattern && !pattern.test(value))) throw new Malformed('text expected')
    return value
  }
}

export function bytes(min: number, max = min): Read<Uint8Array> {
  return (value) => {
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max) throw new Malformed('bytes expected')
    return value
  }
}

export function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Malformed('true or false expected')
  return value
}

export function integer(min: number, max: number): Read<number> {
  return (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) throw new Malformed('whole number expected')
    return value
  }
}

export function oneOf<const T extends string | number>(values: readonly T[]): Read<T> {
  return (value) => {
    if (!(values as readonly unknown[]).includes(value)) throw new Malformed(`one of ${values.join(', ')} expected`)
    return value as T
  }
}

export function nullable<T>(read: Read<T>): Read<T | null> {
  return (value) => (value === null ? null : read(value))
}

export function list<T>(read: Read<T>, max: number): Read<T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > max) throw new Malformed('list expected')
    return value.map(read)
  }
}

/** An object with exactly these fields. */
export function record<T extends object>(fields: { [Name in keyof T]: Read<T[Name]> }): Read<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value) => {
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
      throw new Malformed('object expected')
    const given = value as { [name: string]: unknown }
    if (Object.keys(given).length !== names.length) throw new Malformed(`exactly ${names.join(', ')} expected`)
    const read = {} as T
    for (const name of names) {
      if (!Object.hasOwn(given, name)) throw new Malformed(`${name} is missing`)
      read[name] = fields[name](given[name])
    }
    return read
  }
}

/** An object whose `type` says which of these it is. */
export function variant<T extends { type: string }>(cases: { [Type in T['type']]: Read<Extract<T, { type: Type }>> }): Read<T> {
  return (value) => {
    const type: unknown = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
    if (typeof type !== 'string' || !Object.hasOwn(cases, type)) throw new Malformed('unknown type')
    return cases[type as T['type']](value) as T
  }
}

export function finite(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed('a number expected')
  return value
}

/** An object with these fields; what a newer worker says beyond them is passed over. */
export function known<T extends object>(fields: { [Name in keyof T]: Read<T[Name]> }): Read<T> {
  const read = record<T>(fields)
  return (value) => {
    if (typeof value !== 'object' || value === null) throw new Malformed('object expected')
    return read(Object.fromEntries(Object.entries(value).filter(([name]) => Object.hasOwn(fields, name))))
  }
}
