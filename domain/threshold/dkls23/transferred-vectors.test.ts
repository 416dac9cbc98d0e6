import { randomBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { CHECKS, INPUTS, ORDER, TRANSFERS } from './parameters.ts'
import { modulo } from './scalars.ts'
import { challengeOf, combine, digestOf, gadgetOf, sessionOf, WIDTH, weigh } from './transferred-vectors.ts'

test('a session depends on its id and on what both sides have sent for it', (t) => {
  const [sid, message, nonce] = [randomBytes(32), randomBytes(50), randomBytes(32)]
  const sessions = [
    sessionOf(sid, message, nonce),
    sessionOf(randomBytes(32), message, nonce),
    sessionOf(sid, randomBytes(50), nonce),
    sessionOf(sid, message, randomBytes(32)),
  ]
  t.is(new Set(sessions.map(String)).size, sessions.length)
})

test('gadget, challenge and digest depend on the session', (t) => {
  const [one, other] = [randomBytes(32), randomBytes(32)]
  t.not(gadgetOf(one)[0], gadgetOf(other)[0])
  t.not(challengeOf(one, randomBytes(8))[0], challengeOf(other, randomBytes(8))[0])
  t.notDeepEqual(digestOf(one, [1n]), digestOf(other, [1n]))
})

test('a challenge has a factor for each check and input, and depends on each bit of the corrections', (t) => {
  const session = randomBytes(32)
  const corrections = randomBytes(16)
  const challenges = new Set([String(challengeOf(session, corrections))])
  for (let bit = 0; bit < 128; bit++)
    challenges.add(
      String(
        challengeOf(
          session,
          corrections.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
        ),
      ),
    )
  t.is(challenges.size, 129)
  const factors = challengeOf(session, corrections)
  t.is(new Set(factors).size, CHECKS * INPUTS)
})

test('the combinations are the inputs times the challenge, plus what masks them', (t) => {
  t.deepEqual(combine([2n, 3n, 5n, 7n], [10n, 100n, 1n, ORDER - 1n]), [321n, 749n])
})

test('vectors are weighted element by element', (t) => {
  const gadget = Array.from({ length: TRANSFERS }, (_, i) => BigInt(i))
  const vectors = gadget.flatMap((i) => [i, ORDER - i, 5n, 6n])
  t.is(vectors.length, TRANSFERS * WIDTH)
  const squares = gadget.reduce((sum, i) => sum + i * i, 0n)
  t.deepEqual(weigh(gadget, vectors), [modulo(squares), modulo(-squares)])
})
