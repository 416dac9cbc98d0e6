import test from 'ava'
import type { TransactionStatus } from '../../../domain/ports/chain-node.ts'
import { fateOf } from './fate.ts'

const transferId = 't1'
const UNKNOWN: TransactionStatus = { state: 'unknown' }
const PENDING: TransactionStatus = { state: 'pending' }

const includedIn = (hash: string, confirmations: number, isFinal = false): TransactionStatus => ({
  state: 'included',
  outcome: 'succeeded',
  block: { height: 7n, hash },
  confirmations,
  isFinal,
  fee: 21n,
})

const broadcasting = { transferId, status: 'broadcasting', mined: null } as const
const minedIn = (hash: string, status: 'confirming' | 'confirmed' = 'confirming') =>
  ({ transferId, status, mined: { version: 1, hash: '0x01', block: { height: '7', hash } } }) as const

const typesOf = ({ commands }: ReturnType<typeof fateOf>) => commands.map(({ type }) => type)

test('what waits to be mined is left alone, and sent again when no node knows it any more', (t) => {
  t.deepEqual(fateOf(broadcasting, [{ version: 1, status: PENDING }], 2), { commands: [], isLost: false, hasExpired: false })
  t.deepEqual(fateOf(broadcasting, [{ version: 1, status: UNKNOWN }], 2), { commands: [], isLost: true, hasExpired: false })
})

test('of two transactions of a transfer only the newest is sent again', (t) => {
  const sights = (first: TransactionStatus, second: TransactionStatus) => [
    { version: 1, status: first },
    { version: 2, status: second },
  ]
  t.false(fateOf(broadcasting, sights(UNKNOWN, PENDING), 2).isLost)
  t.true(fateOf(broadcasting, sights(PENDING, UNKNOWN), 2).isLost)
})

test('a block is written down once, when it counts once more, and when it is final', (t) => {
  const at = { transferId, version: 1, outcome: 'succeeded', block: { height: '7', hash: 'b' } }
  t.deepEqual(fateOf(broadcasting, [{ version: 1, status: includedIn('b', 1) }], 2).commands, [
    { type: 'ConfirmTransfer', ...at, confirmations: 1, isConfirmed: false } as never,
  ])
  t.deepEqual(typesOf(fateOf(minedIn('b'), [{ version: 1, status: includedIn('b', 1) }], 2)), [])
  t.like(fateOf(minedIn('b'), [{ version: 1, status: includedIn('b', 2) }], 2).commands, [{ type: 'ConfirmTransfer', isConfirmed: true }])
  t.deepEqual(typesOf(fateOf(minedIn('b', 'confirmed'), [{ version: 1, status: includedIn('b', 3) }], 2)), [])
  t.deepEqual(fateOf(minedIn('b', 'confirmed'), [{ version: 1, status: includedIn('b', 9, true) }], 2).commands, [
    { type: 'FinalizeTransfer', ...at, feePaid: '21' } as never,
  ])
  t.deepEqual(typesOf(fateOf(broadcasting, [{ version: 1, status: includedIn('b', 9, true) }], 2)), ['ConfirmTransfer', 'FinalizeTransfer'])
})

test('what is not in its block any more was reorganised, wherever it is now', (t) => {
  t.deepEqual(typesOf(fateOf(minedIn('b', 'confirmed'), [{ version: 1, status: PENDING }], 2)), ['ReorganiseTransfer'])
  const lost = fateOf(minedIn('b'), [{ version: 1, status: UNKNOWN }], 2)
  t.deepEqual(typesOf(lost), ['ReorganiseTransfer'])
  t.true(lost.isLost)
  t.like(fateOf(minedIn('b', 'confirmed'), [{ version: 1, status: includedIn('c', 1) }], 2).commands, [
    { type: 'ConfirmTransfer', block: { hash: 'c' }, isConfirmed: false },
  ])
})

test('whichever of its transactions is mined counts', (t) => {
  const sights = [
    { version: 1, status: includedIn('b', 1) },
    { version: 2, status: { state: 'impossible', reason: 'replaced', by: '0x01' } as const },
  ]
  t.like(fateOf(broadcasting, sights, 1).commands, [{ type: 'ConfirmTransfer', version: 1, isConfirmed: true }])
})

test('it is over only when none of its transactions can be mined any more', (t) => {
  const replaced = { state: 'impossible', reason: 'replaced', by: '0xff' } as const
  const expired = { state: 'impossible', reason: 'expired', by: null } as const
  const sights = (first: TransactionStatus, second: TransactionStatus) => [
    { version: 1, status: first },
    { version: 2, status: second },
  ]
  t.deepEqual(fateOf(broadcasting, sights(replaced, PENDING), 1).commands, [])
  t.deepEqual(fateOf(broadcasting, sights(expired, replaced), 1).commands, [{ type: 'ReplaceTransfer', transferId, by: '0xff' }])
  t.deepEqual(fateOf(broadcasting, sights(expired, expired), 1), { commands: [], isLost: false, hasExpired: true })
})
