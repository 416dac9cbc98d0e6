import test from 'ava'
import { accountIdOf } from './account-id.ts'

const account = { walletId: 'df9f5235-8081-4365-bb45-e12ff6058358', keyId: '8b531197-3aa7-4f19-9ab6-a2579cb23f2f' }

test('accounts have for ever the ids that they were opened under', (t) => {
  t.is(accountIdOf({ ...account, chain: 'eip155:1', path: 'm' }), 'a3689a0a-efaf-587c-a3d5-9316be4c2806')
  t.is(
    accountIdOf({ ...account, chain: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', path: 'm/44/501/0' }),
    '7e3aa5f4-a315-5e5f-8044-db4597edd82b',
  )
})
