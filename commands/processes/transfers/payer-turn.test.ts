import test from 'ava'
import type { Replacement, Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import { wantedOf } from './payer-turn.ts'

const authorisation = { method: 'POST', path: '/', body: '{}', intent: null }
const wish: Replacement = { as: 'cancellation', fee: null, maxFee: null, by: 'test', authorisation }
const wanted = (replacement: Replacement | null) =>
  wantedOf({ publicKey: '', amount: '5', fee: 'low', maxFee: '100', replacement } as Transfer)

test('a replacement costs at most what the transfer may, as parties have it, unless an acceleration says otherwise', (t) => {
  t.like(wanted(null), { fee: 'low', maxFee: 100n })
  t.like(wanted(wish), { fee: 'low', maxFee: 100n })
  t.like(wanted({ ...wish, as: 'acceleration', fee: 'high' }), { fee: 'high', maxFee: 100n })
  t.like(wanted({ ...wish, as: 'acceleration', fee: 'high', maxFee: '200' }), { fee: 'high', maxFee: 200n })
})
