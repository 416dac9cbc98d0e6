import test from 'ava'
import { v5 } from 'uuid'
import { uuidV5 } from './uuid-v5.ts'

const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

test('the example of RFC 9562 (A.4) comes out', (t) => {
  t.is(uuidV5('www.example.com', DNS), '2ed6657d-e927-568b-95e1-2665a8aea6a2')
})

test('names of any length and alphabet have the ids that others give them', (t) => {
  for (const name of ['', 'a', 'ü€', 'x'.repeat(1_000), 'wallet/key/eip155:1/m']) t.is(uuidV5(name, DNS), v5(name, DNS))
})
