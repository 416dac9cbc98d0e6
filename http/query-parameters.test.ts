import test from 'ava'
import fc from 'fast-check'
import { Problem } from './problem.ts'
import { checkQuery, queryParametersOf } from './query-parameters.ts'

const declared = queryParametersOf({
  method: 'GET',
  query: {
    cursor: { description: '', schema: { type: 'string', maxLength: 256 } },
    limit: { description: '', schema: { type: 'integer', minimum: 1, maximum: 200 } },
    order: { description: '', schema: { type: 'string', enum: ['asc', 'desc'] } },
  },
})

/** Which parameter is at fault, and why; undefined when the query is taken. */
function faultOf(querystring: string): { parameter?: string | undefined; code: string } | undefined {
  try {
    checkQuery(querystring, declared)
    return undefined
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const [fault] = error.errors
    return { parameter: fault?.parameter, code: error.code }
  }
}

test('whatever is sent, it is taken or the parameter at fault is named', (t) => {
  const name = fc.oneof(fc.constantFrom(...Object.keys(declared), '__proto__', 'constructor', 'asOf'), fc.string({ unit: 'binary' }))
  const query = fc.array(fc.tuple(name, fc.oneof(fc.string({ unit: 'binary' }), fc.integer().map(String))), { maxLength: 4 })
  fc.assert(
    fc.property(query, (pairs) => {
      const fault = faultOf(new URLSearchParams(pairs).toString())
      const names = [...new URLSearchParams(new URLSearchParams(pairs).toString())].map(([name]) => name)
      const mustFail = names.some((name) => !Object.hasOwn(declared, name)) || new Set(names).size < names.length
      t.true(
        fault === undefined
          ? !mustFail
          : fault.code === 'invalid_parameter' && names.some((name) => name.startsWith(fault.parameter ?? '?')),
      )
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (querystring) => {
      t.true([undefined, 'invalid_parameter'].includes(faultOf(querystring)?.code))
    }),
  )
})

for (const [parameter, values] of Object.entries({
  limit: ['', '0', '201', '-1', '1.5', '1e2', '0x10', ' 1', '1 ', '９', '1'.repeat(1_000), 'NaN', 'null'],
  minPosition: ['', '-1', '1.5', '0x1', '1'.repeat(21), ' 1', '1n', '１', '1e3', '1\n'],
  cursor: ['x'.repeat(257)],
  order: ['', 'ASC', 'asc,desc', 'toString'],
})) {
  test(`${parameter} is refused by name when it is malformed`, (t) => {
    for (const value of values)
      t.deepEqual(faultOf(new URLSearchParams([[parameter, value]]).toString()), { parameter, code: 'invalid_parameter' }, value)
  })
}

test('a parameter that is required is missed by name', (t) => {
  const required = { event: { description: '', required: true as const, schema: { type: 'string' as const } } }
  for (const querystring of ['', 'limit=1']) {
    const error = t.throws(() => checkQuery(querystring, { ...declared, ...required }), { instanceOf: Problem })
    t.like(error?.errors[0], { parameter: 'event', code: 'missing_parameter' })
  }
  t.deepEqual({ ...checkQuery('event=1', { ...declared, ...required }) }, { event: '1' })
})

test('a parameter sent twice, and one that is not known, are refused by name', (t) => {
  t.deepEqual(faultOf('limit=1&limit=1'), { parameter: 'limit', code: 'invalid_parameter' })
  for (const name of ['asOf', '__proto__', 'constructor', 'limit[]', 'Limit'])
    t.deepEqual(faultOf(`${name}=1`), { parameter: name, code: 'invalid_parameter' })
})
