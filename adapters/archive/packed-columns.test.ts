import test from 'ava'
import fc from 'fast-check'
import { buffersOf, type ColumnPacker, packNumbers, packRepeated, packTexts, unpacked } from './packed-columns.ts'

/** What comes out of a column on another thread. */
function handedOver<Value>(packer: ColumnPacker<Value>, values: readonly (Value | undefined)[]): unknown[] {
  for (const value of values) packer.add(value)
  const packed = packer.packed()
  const copy = structuredClone(packed, { transfer: buffersOf([packed]) })
  return unpacked(copy)
}

const some = <Value>(value: fc.Arbitrary<Value>) => fc.array(fc.option(value, { nil: undefined }))

const textsIn = (texts: readonly unknown[]) =>
  texts.map((text) => (text === undefined ? undefined : Buffer.from(text as Uint8Array).toString()))

test('columns are the same on the other side', (t) => {
  fc.assert(
    fc.property(some(fc.bigInt(-(2n ** 63n) + 1n, 2n ** 63n - 1n)), some(fc.string({ unit: 'grapheme' })), (numbers, texts) => {
      t.deepEqual(handedOver(packNumbers(), numbers), numbers)
      t.deepEqual(handedOver(packRepeated<string>(), texts), texts)
      t.deepEqual(textsIn(handedOver(packTexts(), texts)), texts)
      const bytes = texts.map((text) => (text === undefined ? undefined : Buffer.from(text)))
      t.deepEqual(textsIn(handedOver(packTexts(), bytes)), texts)
    }),
    { numRuns: 30 },
  )
})

test('there may be any number of rows', (t) => {
  const numbers = Array.from({ length: 2_500 }, (_, n) => (n % 7 === 0 ? undefined : BigInt(n)))
  t.deepEqual(handedOver(packNumbers(), numbers), numbers)
  const texts = numbers.map((number) => number?.toString())
  t.deepEqual(handedOver(packRepeated<string>(), texts), texts)
  t.deepEqual(textsIn(handedOver(packTexts(), texts)), texts)
})

test('a text may be longer than all before it', (t) => {
  const texts = ['', 'a', 'ü'.repeat(200_000), '']
  t.deepEqual(textsIn(handedOver(packTexts(), texts)), texts)
})

test('what is there again is handed over once', (t) => {
  const packer = packRepeated<string>()
  for (let n = 0; n < 3_000; n++) packer.add(n % 3 === 0 ? undefined : `${n % 2}`)
  const packed = packer.packed()
  t.true(packed.kind === 'repeated' && packed.values.length === 2)
})
