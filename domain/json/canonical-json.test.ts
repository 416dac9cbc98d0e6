import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { canonicalJson } from './canonical-json.ts'

test('whatever is JSON is written as another implementation of RFC 8785 writes it', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      t.is(canonicalJson(value), canonicalize(value) as string)
    }),
    { numRuns: runs(1000) },
  )
})

test('the examples of RFC 8785 are written as it says', (t) => {
  const numbers =
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
  t.is(
    canonicalJson(JSON.parse(numbers)),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  const names =
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}'
  t.deepEqual(
    Object.values(
      JSON.parse(
        `[${canonicalJson(JSON.parse(names))
          .replaceAll(/"[^"]*":/g, '')
          .slice(1, -1)}]`,
      ),
    ),
    ['Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji', 'Hebrew Letter Dalet With Dagesh'],
  )
})

test('the text read again gives the same text, also of what other parsers refuse', (t) => {
  for (const text of ['1e400', '-1e400', '"\\ud800"', '{"__proto__":{"a":1},"a":[]}', '-0']) {
    const canonical = canonicalJson(JSON.parse(text))
    t.is(canonicalJson(JSON.parse(canonical)), canonical)
  }
  t.not(canonicalJson(JSON.parse('1e400')), canonicalJson(null))
  t.is(canonicalJson(JSON.parse('{"__proto__":1}')), '{"__proto__":1}')
})

test('what is not JSON is refused', (t) => {
  for (const value of [undefined, 1n, Number.NaN, () => 1, new Uint8Array(1), new Date(0), [undefined], { a: 1n }])
    t.throws(() => canonicalJson(value), { instanceOf: TypeError })
})

test('names that hold whatever could stand between names are kept apart', (t) => {
  const names = ['a', 'b', 'a\0b', 'b\0a', '\0', 'a\0', '\0b', 'a,b', '']
  fc.assert(
    fc.property(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), (some) => {
      const object = Object.fromEntries(some.map((name, n) => [name, n]))
      t.is(canonicalJson(object), canonicalize(object) as string)
    }),
    { numRuns: 1000 },
  )
})

test('however many different names there are', (t) => {
  for (let n = 0; n < 1_500; n++) t.is(canonicalJson({ [`b${n}`]: 1, [`a${n}`]: 2 }), `{"a${n}":2,"b${n}":1}`)
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, n]))
  t.is(canonicalJson(wide), canonicalize(wide) as string)
})

test('long names are not kept', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => {
    collect()
    return getHeapStatistics().used_heap_size
  }
  const [before, names, characters] = [used(), 100, 1_000_000]
  for (let n = 0; n < names; n++) canonicalJson({ [`${'x'.repeat(characters)}${n}`]: n })
  const mostKept = (names * characters) / 2
  // Some are held by what is on the stack until another turn.
  for (let turn = 0; turn < 10 && used() - before > mostKept; turn++) await setImmediate()
  t.true(used() - before < mostKept)
})
