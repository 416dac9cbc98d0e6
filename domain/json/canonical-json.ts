/** Strings that are written as they are; others, and those with surrogates, are left to `JSON.stringify`, which takes longer. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

/**
 * A JSON value as the one text that RFC 8785 gives it. Beyond the RFC it takes what `JSON.parse` makes of any text: half a surrogate pair is written as an
 * escape, and a number too large for a double as 1e999, which is read as the same again.
 * @throws TypeError for what is not JSON
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') return canonicalNumber(value)
  if (typeof value === 'boolean' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (isPlainObject(value)) return canonicalObject(value)
  throw new TypeError(`${Object.prototype.toString.call(value)} is not JSON`)
}

const canonicalString = (text: string) => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

/** A field that is undefined is not there, as for `JSON.stringify`. */
function canonicalObject(object: { readonly [name: string]: unknown }): string {
  let text = ''
  for (const { name, begin } of fieldsOf(Object.keys(object))) {
    const value = object[name]
    if (value !== undefined) text += `${text === '' ? '' : ','}${begin}${canonicalJson(value)}`
  }
  return `{${text}}`
}

/** A field's name, and how its text begins. */
type Field = { readonly name: string; readonly begin: string }

/** Most objects have the same names in the same order as one before: to sort them takes longer than to look that up. */
const known = new Map<string, readonly Field[]>()
const MOST_KNOWN = 1_000
const MOST_NAMES = 40
const MOST_CHARACTERS = 2_000
const SEPARATOR = '\0'

function fieldsOf(names: readonly string[]): readonly Field[] {
  if (names.length > MOST_NAMES) return sorted(names)
  const key = names.join(SEPARATOR)
  const found = known.get(key)
  // None of the names that are known holds the separator, so as many names with the same key are the same.
  if (found?.length === names.length) return found
  const fields = sorted(names)
  if (key.length > MOST_CHARACTERS || names.some((name) => name.includes(SEPARATOR))) return fields
  if (known.size === MOST_KNOWN) known.clear()
  known.set(key, fields)
  return fields
}

/** By UTF-16 code units (section 3.2.3), as `sort` does. */
const sorted = (names: readonly string[]): readonly Field[] =>
  [...names].sort().map((name) => ({ name, begin: `${canonicalString(name)}:` }))

/** As ECMAScript writes it (section 3.2.2.3). */
function canonicalNumber(number: number): string {
  if (Number.isNaN(number)) throw new TypeError('NaN is not JSON')
  return Number.isFinite(number) ? JSON.stringify(number) : number > 0 ? '1e999' : '-1e999'
}

function isPlainObject(value: unknown): value is { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
