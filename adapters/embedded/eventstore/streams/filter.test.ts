import test from 'ava'
import { compileFilter } from './filter.ts'

const event = { stream: 'wallet-1', type: 'WalletCreated' }

test('a filter looks at stream names or event types, by prefix or by expression', (t) => {
  t.true(compileFilter({ on: 'stream', prefixes: ['x', 'wallet-'] })(event))
  t.false(compileFilter({ on: 'stream', prefixes: ['Wallet'] })(event))
  t.true(compileFilter({ on: 'type', prefixes: ['Wallet'] })(event))
  t.true(compileFilter({ on: 'type', regex: 'Created$' })(event))
  t.false(compileFilter({ on: 'stream', regex: '^[^w]' })(event))
})

test('an invalid expression is refused', (t) => {
  t.throws(() => compileFilter({ on: 'type', regex: '(' }), { instanceOf: SyntaxError })
})
