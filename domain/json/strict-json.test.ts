import test from 'ava'
import fc from 'fast-check'
import { MalformedJson, parseStrictJson, readFields } from './strict-json.ts'

const malformed = { instanceOf: MalformedJson } as const

test('whatever JSON.stringify writes is read as JSON.parse reads it', (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.deepEqual(parseStrictJson(text), JSON.parse(text))
    }),
    { numRuns: 500 },
  )
})

for (const text of [
  '{"a":1,"a":1}',
  '{"a":1,"\\u0061":2}',
  '{"b":[{"a":{"c":"}"},"a":2}]}',
  '{"__proto__":1,"__proto__":2}',
  '[{"a":[],"b":"\\"","a":0}]',
  '{"":0,"":0}',
]) {
  test(`a name that stands twice in an object is refused: ${text}`, (t) => {
    t.notThrows(() => JSON.parse(text))
    t.throws(() => parseStrictJson(text), malformed)
  })
}

for (const text of ['{"a":{"a":1},"b":{"a":1}}', '[{"a":1},{"a":1}]', '{"a":"a","b":["a","a"]}', '{"a":"{\\"b\\":1,\\"b\\":2}"}']) {
  test(`the same name in different objects is not: ${text}`, (t) => {
    t.deepEqual(parseStrictJson(text), JSON.parse(text))
  })
}

for (const literal of ['1.0', '1e3', '-0', '0.0', '1.00000000000000000001', '9007199254740990.6', '1e-400', '0e7']) {
  test(`a whole number that is not written as one is refused: ${literal}`, (t) => {
    for (const text of [literal, `[${literal}]`, `{"a":${literal}}`, ` ${literal} `]) t.throws(() => parseStrictJson(text), malformed)
    t.is(parseStrictJson(JSON.stringify(literal)), literal)
  })
}

test('other numbers are read as they are', (t) => {
  for (const literal of ['0', '-1', '9007199254740991', '0.1', '1.5e300', '1e400', '9007199254740993'])
    t.is(parseStrictJson(literal), JSON.parse(literal))
})

test('what is not JSON is refused, and depth costs nothing', (t) => {
  for (const text of ['', '{', "{'a':1}", '{"a":1}x', '\ufeff{}']) t.throws(() => parseStrictJson(text), malformed)
  t.throws(() => parseStrictJson('['.repeat(100_000)), malformed)
  t.notThrows(() => parseStrictJson('['.repeat(100_000) + ']'.repeat(100_000)))
})

test('fields are exactly those that may be there', (t) => {
  t.deepEqual(readFields({ a: 1, b: 2 }, ['a'], ['b']), { a: 1, b: 2 })
  t.deepEqual(readFields({ a: 1 }, ['a'], ['b']), { a: 1 })
  for (const value of [{}, { b: 1 }, { a: 1, c: 1 }, [], null, 'a', Object.create({ a: 1 }), parseStrictJson('{"a":1,"__proto__":1}')])
    t.throws(() => readFields(value, ['a'], ['b']), malformed)
})
