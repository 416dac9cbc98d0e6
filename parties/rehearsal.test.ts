import { randomBytes } from 'node:crypto'
import test from 'ava'
import { SCHEMES } from '../domain/threshold/scheme.ts'
import { rehearse } from './rehearsal.ts'

test('a rehearsal goes through every scheme to the end, with fresh randomness each time', (t) => {
  const drawn = new Set<string>()
  let draws = 0
  rehearse((length) => {
    const bytes = new Uint8Array(randomBytes(length))
    draws++
    drawn.add(Buffer.from(bytes).toString('hex'))
    return bytes
  })
  t.is(drawn.size, draws)
  t.true(draws >= 2 * SCHEMES.length)
})
