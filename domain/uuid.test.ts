import test from 'ava'
import { v5 } from 'uuid'
import { uuidv5 } from './uuid.ts'

const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

test('a name has the UUID of RFC 9562, appendix A.4', (t) => {
  t.is(uuidv5('www.example.com', DNS), '2ed6657d-e927-568b-95e1-2665a8aea6a2')
})

test('it is the one that others find', (t) => {
  for (const name of ['', 'a', 'ünïcode ✓', 'x'.repeat(1_000)]) t.is(uuidv5(name, DNS), v5(name, DNS))
})
