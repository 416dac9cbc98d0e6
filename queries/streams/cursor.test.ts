import test from 'ava'
import { decodeCursor, encodeCursor } from './cursor.ts'

test('a cursor comes back as it was given out', (t) => {
  for (const position of [-1n, 0n, 12_345_678_901_234_567_890n]) {
    const cursor = { origin: '0123456789abcdef', position }
    t.deepEqual(decodeCursor(encodeCursor(cursor)), cursor)
  }
})

test('what was not given out is no cursor', (t) => {
  const plain = (text: string) => Buffer.from(text).toString('base64url')
  const good = encodeCursor({ origin: '0123456789abcdef', position: 7n })
  const others = ['', 'x', '12', `${good}=`, `${good}A`, plain('1.0123456789abcdef.-2'), plain('2.0123456789abcdef.7'), plain('1.0123.7')]
  for (const text of [...others, plain('1.0123456789abcdef.007'), plain('1.0123456789abcdef.7\n')])
    t.is(decodeCursor(text), undefined, text)
})
