import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import { encodeFields, type Field } from './fields.ts'

const hex = (...fields: Field[]) => bytesToHex(encodeFields(...fields))

test('what stands on either side of a boundary between fields matters', (t) => {
  t.not(hex('ab', 'c'), hex('a', 'bc'))
  t.not(hex('ab', ''), hex('ab'))
  t.not(hex(), hex(''))
})

test('a text, its bytes, and a number never give the same encoding', (t) => {
  const encodings = [hex('1'), hex(1), hex(Uint8Array.of(0x31)), hex(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))]
  t.is(new Set(encodings).size, encodings.length)
})

test('the layout is kind, length, content', (t) => {
  t.is(hex('é', 258, Uint8Array.of(7)), '0100000002c3a90200000008000000000000010203' + '0000000107')
})

test('numbers that are not whole, or are negative, are refused', (t) => {
  for (const number of [-1, 0.5, Number.NaN, 2 ** 53]) t.throws(() => encodeFields(number), { instanceOf: RangeError })
})
