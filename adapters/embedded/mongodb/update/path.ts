import { type Doc, isDocument, MAX_DEPTH, ownField } from '../document.ts'
import { CommandError } from '../errors.ts'

/** Says that the field is to be left as it is, or to be taken away. */
export const KEEP = Symbol('keep')
export const REMOVE = Symbol('remove')

/** From the current value (undefined when missing) to the next one. */
export type Change = (current: unknown) => unknown

/** Which elements of an array the positional segments `$` and `$[name]` stand for. */
export type Positions = {
  /** Index of the first element that the query matched at this array path. @throws BadValue */
  matched(path: string, array: readonly unknown[]): number
  /** @throws BadValue when there is no such array filter */
  accepts(name: string, element: unknown): boolean
}

const MAX_PADDING = 100_000

/** The segments of a dotted path. @throws BadValue for an empty or forbidden segment, Overflow */
export function parsePath(path: string): string[] {
  const segments = path.includes('.') ? path.split('.') : [path]
  if (segments.length > MAX_DEPTH) throw new CommandError('Overflow', `an update path has at most ${MAX_DEPTH} field names`)
  if (segments.includes('')) throw new CommandError('BadValue', `the update path '${path}' contains an empty field name`)
  if (segments.includes('__proto__')) throw new CommandError('BadValue', 'the field name __proto__ is not supported')
  if (segments[0]!.startsWith('$')) throw new CommandError('DollarPrefixedFieldName', `the dollar prefixed field '${path}' is not allowed`)
  return segments
}

function elementIndexes(segment: string, path: string, value: unknown, positions: Positions): number[] {
  if (!Array.isArray(value)) throw new CommandError('BadValue', `cannot apply array updates to the non-array element ${path}`)
  if (segment === '$') return [positions.matched(path, value)]
  const name = segment.slice(2, -1)
  return [...value.keys()].filter((index) => name === '' || positions.accepts(name, value[index]))
}

function put(container: Doc | unknown[], key: string, value: unknown): void {
  if (!Array.isArray(container)) {
    if (value === REMOVE) delete container[key]
    else container[key] = value
    return
  }
  const index = Number(key)
  if (index - container.length > MAX_PADDING) throw new CommandError('BadValue', `cannot pad an array up to element ${key}`)
  while (container.length < index) container.push(null)
  container[index] = value === REMOVE ? null : value
}

/**
 * Changes what a path leads to, in place. Missing parents are made when `creates`, else nothing happens.
 * Returns whether something was changed. @throws PathNotViable, BadValue
 */
export function changeAt(root: Doc, segments: readonly string[], change: Change, creates: boolean, positions: Positions): boolean {
  function visit(container: Doc | unknown[], key: string, depth: number): boolean {
    const current = ownField(container, key)
    if (depth === segments.length) {
      const next = change(current)
      if (next === KEEP || (next === REMOVE && !Object.hasOwn(container, key))) return false
      put(container, key, next)
      return true
    }
    if (isDocument(current) || Array.isArray(current)) return descend(current, depth)
    if (!creates) return false
    if (current !== undefined)
      throw new CommandError('PathNotViable', `cannot create field '${segments[depth]}' in element '${key}', which is not a document`)
    const made: Doc = {}
    if (!descend(made, depth)) return false
    put(container, key, made)
    return true
  }

  function descend(container: Doc | unknown[], depth: number): boolean {
    const segment = segments[depth]!
    if (segment === '$' || segment.startsWith('$[')) {
      const at = segments.slice(0, depth).join('.')
      return elementIndexes(segment, at, container, positions)
        .map((index) => visit(container, String(index), depth + 1))
        .some(Boolean)
    }
    if (Array.isArray(container) && !/^\d+$/.test(segment)) {
      if (!creates) return false
      throw new CommandError('PathNotViable', `cannot create field '${segment}' in an array`)
    }
    return visit(container, segment, depth + 1)
  }

  return descend(root, 0)
}
