import test from 'ava'
import { findToken, type Token } from './token.ts'

const token = (slot: bigint, label: string, initialised = true): Token => ({
  handle: Buffer.alloc(8),
  slot,
  label,
  model: 'model',
  initialised,
  userPinSet: initialised,
})

const TOKENS = [token(1n, 'red'), token(2n, 'blue'), token(3n, '', false), token(4n, 'blue')]

test('a token is found by its slot, its label, or both', (t) => {
  t.is(findToken(TOKENS, { slot: 2 }), TOKENS[1]!)
  t.is(findToken(TOKENS, { label: 'red' }), TOKENS[0]!)
  t.is(findToken(TOKENS, { slot: 4, label: 'blue' }), TOKENS[3]!)
})

test('the only token needs no name', (t) => {
  t.is(findToken([TOKENS[0]!, TOKENS[2]!], {}), TOKENS[0]!)
})

test('none, or one that is not initialised, is not found', (t) => {
  for (const wanted of [{ slot: 9 }, { label: 'green' }, { slot: 3 }, { slot: 1, label: 'blue' }])
    t.throws(() => findToken(TOKENS, wanted), { name: 'TokenRefused', code: 'token_not_found' })
})

test('several are not guessed between', (t) => {
  for (const wanted of [{}, { label: 'blue' }]) t.throws(() => findToken(TOKENS, wanted), { code: 'token_ambiguous' })
})
