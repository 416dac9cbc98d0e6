import { cloneValue, type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/match.ts'
import { compareValues, equalValues } from '../query/order.ts'
import { parseSort, sortDocuments } from '../query/sort.ts'
import { type Change, KEEP } from './path.ts'

const hasOperator = (value: unknown): value is Doc => isDocument(value) && Object.keys(value).some((key) => key.startsWith('$'))

function arrayOf(operator: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CommandError('BadValue', `${operator} needs an array`)
  return value
}

function integer(operator: string, value: unknown): number {
  if (!Number.isInteger(value)) throw new CommandError('BadValue', `${operator} needs an integer`)
  return value as number
}

function sorted(elements: unknown[], order: unknown): unknown[] {
  if (order === 1 || order === -1) return [...elements].sort((a, b) => compareValues(a, b) * order)
  return sortDocuments(elements, parseSort(order), (element) => (isDocument(element) ? element : {}))
}

/** One value, or `{$each, $position, $sort, $slice}`. */
export function push(argument: unknown): Change {
  const { $each, $position, $sort, $slice } = isDocument(argument) && '$each' in argument ? argument : { $each: [argument] }
  const values = arrayOf('$each', $each)
  return (current) => {
    const before = current === undefined ? [] : arrayOf('$push', current)
    const at = $position === undefined ? before.length : integer('$position', $position)
    let after = [...before]
    after.splice(at, 0, ...cloneValue(values))
    if ($sort !== undefined) after = sorted(after, $sort)
    if ($slice === undefined) return after
    const slice = integer('$slice', $slice)
    return slice >= 0 ? after.slice(0, slice) : after.slice(slice)
  }
}

/** One value, or `{$each}`. */
export function addToSet(argument: unknown): Change {
  const values = isDocument(argument) && '$each' in argument ? arrayOf('$each', argument.$each) : [argument]
  return (current) => {
    const set = current === undefined ? [] : [...arrayOf('$addToSet', current)]
    const before = set.length
    for (const value of values) if (!set.some((element) => equalValues(element, value))) set.push(cloneValue(value))
    return current !== undefined && set.length === before ? KEEP : set
  }
}

function without(operator: string, matches: (element: unknown) => boolean): Change {
  return (current) => {
    if (current === undefined) return KEEP
    const before = arrayOf(operator, current)
    const after = before.filter((element) => !matches(element))
    return after.length === before.length ? KEEP : after
  }
}

/** A value, a condition on elements, or a query on elements that are documents. */
export function pull(argument: unknown): Change {
  if (isDocument(argument) && !hasOperator(argument)) {
    const matches = compileFilter(argument)
    return without('$pull', (element) => isDocument(element) && matches(element))
  }
  if (!hasOperator(argument) && !(argument instanceof RegExp)) return without('$pull', (element) => equalValues(element, argument))
  const matches = compileFilter({ element: argument })
  return without('$pull', (element) => matches({ element }))
}

export function pullAll(argument: unknown): Change {
  const values = arrayOf('$pullAll', argument)
  return without('$pullAll', (element) => values.some((value) => equalValues(element, value)))
}

export function pop(argument: unknown): Change {
  if (argument !== 1 && argument !== -1) throw new CommandError('FailedToParse', '$pop expects 1 or -1')
  return (current) => {
    if (current === undefined) return KEEP
    const before = arrayOf('$pop', current)
    if (before.length === 0) return KEEP
    return argument === 1 ? before.slice(0, -1) : before.slice(1)
  }
}
