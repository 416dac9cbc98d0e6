/** The text is not what it must be: not JSON, or ambiguous, or of another shape than the contract's. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson'
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]|-?\d[\d.eE+-]*/g
const IS_NUMBER = /^[-\d]/

/**
 * The JSON value (RFC 8259) in this text, if it is one to every reader: an object with the same name twice is refused, where parsers differ in which one
 * counts (I-JSON, RFC 7493, section 2.3), and a number that is rounded to a whole one (section 2.2).
 * @throws MalformedJson
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new MalformedJson('not JSON')
  }
  refuseAmbiguity(text)
  return value
}

/**
 * The value as an object with exactly the required fields, and the optional ones as far as they are there.
 * @throws MalformedJson naming the field
 */
export function readFields(
  value: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedJson('an object is expected')
  const missing = required.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) throw new MalformedJson(`${missing} is missing`)
  if (Object.keys(value).some((name) => !required.includes(name) && !optional.includes(name)))
    throw new MalformedJson(`only ${[...required, ...optional].join(', ')} may be there`)
  return value as { readonly [name: string]: unknown }
}

/** A person would read 1.00000000000000000001 as another number than 1. Larger ones are for those who take them: they are not safe to begin with. */
function requireExact(literal: string): void {
  const number = Number(literal)
  if (Number.isSafeInteger(number) && String(number) !== literal) throw new MalformedJson('a whole number is not written as one')
}

/** Walks the tokens of a text that is known to be JSON, without recursion, as the depth is somebody else's choice. */
function refuseAmbiguity(text: string): void {
  /** The names met so far in each object that is open; null for an array. */
  const open: (Set<string> | null)[] = []
  let nameMayFollow = false
  for (const [token] of text.matchAll(TOKEN)) {
    const names = open.at(-1)
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (IS_NUMBER.test(token)) requireExact(token)
    else if (token === '}' || token === ']') open.pop()
    else if (nameMayFollow && names && token.startsWith('"')) {
      const name = JSON.parse(token) as string
      if (names.has(name)) throw new MalformedJson('a name stands twice in an object')
      names.add(name)
    }
    nameMayFollow = token === '{' || token === ','
  }
}
