import { randomBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { ask, askAll } from './hashing.ts'

test('many questions at once are answered as one by one', (t) => {
  const inputs = randomBytes(5 * 7)
  const session = randomBytes(32)
  const answers = askAll('multiplication/pad', 100, inputs, 7, session, 'also')
  for (let i = 0; i < 5; i++)
    t.deepEqual(
      answers.subarray(i * 100, (i + 1) * 100),
      ask('multiplication/pad', 100, session, 'also', i, inputs.subarray(i * 7, (i + 1) * 7)) as Buffer,
    )
})

test('the same is answered differently by another oracle, at another length, and with another boundary between fields', (t) => {
  const answers = [
    ask('multiplication/pad', 32, utf8ToBytes('ab'), utf8ToBytes('c')),
    ask('multiplication/pad', 32, utf8ToBytes('a'), utf8ToBytes('bc')),
    ask('multiplication/pad', 32, utf8ToBytes('abc')),
    ask('multiplication/pad', 33, utf8ToBytes('abc')).subarray(0, 32),
    ask('extension/row', 32, utf8ToBytes('abc')),
  ]
  t.is(new Set(answers.map(String)).size, answers.length)
})
