import test from 'ava'
import fc from 'fast-check'
import { base64urlToBytes, bytesToBase64url } from './base64url.ts'

test('bytes are written as Node writes them, and read back', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = bytesToBase64url(bytes)
      t.is(text, Buffer.from(bytes).toString('base64url'))
      t.deepEqual(base64urlToBytes(text), bytes)
    }),
  )
})

test('bytes have one spelling: another one is none', (t) => {
  for (const text of ['AA==', 'AB', 'AAB', 'A', 'A+', 'A/', 'AA A', 'AA\n', 'Aé']) t.is(base64urlToBytes(text), undefined, text)
})
