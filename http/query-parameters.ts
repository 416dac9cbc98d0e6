/** The query string, checked against what the route declares. */
import { Problem } from './problem.ts'
import type { QueryParameter, Route } from './route.ts'

const MAX_LENGTH = 1024

export type QueryParameters = { readonly [name: string]: QueryParameter }

const MIN_POSITION: QueryParameter = {
  description: 'Wait, within a bound, until the read model has reached this position: the `Quorate-Position` of a command.',
  schema: { type: 'string', pattern: '^\\d{1,20}$' },
}

const NO_QUERY = Object.freeze({})

/** What a route declares, and what every GET takes that answers at once. */
export function queryParametersOf({ method, query = {}, streams }: Pick<Route, 'method' | 'query' | 'streams'>): QueryParameters {
  return method === 'GET' && !streams ? { ...query, minPosition: MIN_POSITION } : query
}

/**
 * The declared parameters that were sent. What a route does not know it refuses: a filter silently ignored would be a wrong answer.
 * @throws Problem `invalid_parameter`
 */
export function checkQuery(querystring: string, declared: QueryParameters): { readonly [name: string]: string } {
  const required = Object.keys(declared).filter((name) => declared[name]?.required)
  if (querystring === '' && required.length === 0) return NO_QUERY
  const query: { [name: string]: string } = Object.create(null)
  for (const [name, value] of new URLSearchParams(querystring)) {
    const parameter = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (!parameter) throw fault(name, 'unknown_parameter', 'is not known here')
    if (name in query) throw fault(name, 'repeated_parameter', 'may be given once only')
    const wrong = complaint(value, parameter.schema)
    if (wrong) throw fault(name, 'invalid_value', wrong)
    query[name] = value
  }
  for (const name of required) if (!(name in query)) throw fault(name, 'missing_parameter', 'is required')
  return query
}

function complaint(value: string, schema: QueryParameter['schema']): string | undefined {
  if (schema.type === 'integer') {
    const fits = /^\d{1,15}$/.test(value) && Number(value) >= schema.minimum && Number(value) <= schema.maximum
    return fits ? undefined : `must be an integer from ${schema.minimum} to ${schema.maximum}`
  }
  const { pattern, maxLength = MAX_LENGTH } = schema
  if (value.length > maxLength) return `must be at most ${maxLength} characters`
  if (schema.enum && !schema.enum.includes(value)) return `must be one of ${schema.enum.join(', ')}`
  if (pattern && !new RegExp(pattern).test(value)) return `must match ${pattern}`
  return undefined
}

function fault(name: string, code: string, detail: string): Problem {
  const parameter = name.slice(0, 64)
  return new Problem('invalid_parameter', `${parameter} ${detail}`, { errors: [{ parameter, code, detail }] })
}
