import test from 'ava'
import { parseTimeout } from './timeout.ts'

test('a timeout is a number with a unit', (t) => {
  t.is(parseTimeout('2S'), 2000)
  t.is(parseTimeout('1500m'), 1500)
  t.is(parseTimeout('1M'), 60_000)
  t.is(parseTimeout('1u'), 1)
  t.is(parseTimeout('99999999H'), 2 ** 31 - 1)
})

test('what is no timeout is none', (t) => {
  for (const header of [undefined, '', '5', 'S', '-1S', '1.5S', '123456789S', '1s', ' 1S']) t.is(parseTimeout(header), undefined, header)
})
