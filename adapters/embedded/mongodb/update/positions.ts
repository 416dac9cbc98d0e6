import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter, type Predicate } from '../query/match.ts'
import type { Positions } from './path.ts'

/** Conditions of the query on an array, or on fields of its elements, as a test of one element. */
function elementTests(filter: Doc, path: string): ((element: unknown) => boolean)[] {
  return Object.entries(filter).flatMap(([field, condition]) => {
    if (field === '$and' && Array.isArray(condition)) return condition.flatMap((part) => elementTests(part as Doc, path))
    if (field !== path && !field.startsWith(`${path}.`)) return []
    const matches = compileFilter({ [`array${field.slice(path.length)}`]: condition })
    return [(element: unknown) => matches({ array: [element] })]
  })
}

/** `arrayFilters`, by the name that each one's fields begin with. */
function arrayFilterTests(filters: readonly unknown[]): Map<string, Predicate> {
  return new Map(
    filters.map((filter) => {
      const [field] = isDocument(filter) ? Object.keys(filter) : []
      if (field === undefined) throw new CommandError('FailedToParse', 'an array filter needs a field')
      return [field.split('.')[0]!, compileFilter(filter as Doc)]
    }),
  )
}

/** @throws FailedToParse */
export function positionsFor(filter: Doc, arrayFilters: readonly unknown[]): Positions {
  const named = arrayFilterTests(arrayFilters)
  return {
    matched(path, array) {
      const tests = elementTests(filter, path)
      const index = tests.length === 0 ? -1 : array.findIndex((element) => tests.every((test) => test(element)))
      if (index < 0) throw new CommandError('BadValue', 'the positional operator did not find the match needed from the query')
      return index
    },
    accepts(name, element) {
      const matches = named.get(name)
      if (!matches) throw new CommandError('BadValue', `no array filter found for identifier '${name}'`)
      return matches({ [name]: element })
    },
  }
}
