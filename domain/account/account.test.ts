import test from 'ava'
import { fold } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import { type AccountCommand, account, requireAccount } from './account.ts'

const open: AccountCommand = {
  type: 'OpenAccount',
  accountId: 'a1',
  walletId: 'w1',
  tenant: 'acme',
  keyId: 'k1',
  scheme: 'frost-ed25519',
  chain: 'solana:localnet',
  path: 'm/0/5',
  publicKey: '00',
  address: '1',
}

test('an account is opened with what was asked for, and once', (t) => {
  const { type: _, ...asked } = open
  const events = account.decide(account.initial, open)
  t.deepEqual(events, [{ type: 'AccountOpened', data: asked }])
  const state = fold(account, events)
  t.deepEqual(state, { status: 'open', ...asked })
  t.deepEqual(account.decide(state, open), [])
})

test('there is nothing to say of an account that was not opened', (t) => {
  t.throws(() => requireAccount(account.initial), { instanceOf: DomainError, code: 'account_not_found' })
})
