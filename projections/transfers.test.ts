import test from 'ava'
import { sumOf } from '../domain/account/summed-amounts.ts'
import type { WalletEvent } from '../domain/wallet/events.ts'
import { balances } from './balances.ts'
import type { RecordedDomainEvent } from './projection.ts'
import { transfers } from './transfers.ts'

const AT = '2026-01-01T00:00:00.000Z'
const ETHER = 'eip155:1/slip44:60'
const of = { walletId: 'w1', transferId: 't1' }
const account = { ...of, accountId: 'a1' }
const block = { height: '7', hash: 'b' }

function recorded(event: WalletEvent): RecordedDomainEvent {
  const metadata = { commandId: 'c', correlationId: 'c', causationId: 'c', actor: 'x', tenant: 'acme', occurredAt: AT, schemaVersion: 1 }
  return { id: 'e', stream: 'wallet-w1', revision: 3n, position: 7n, recordedAt: AT, metadata, ...event } as RecordedDomainEvent
}

const funds = (amount: bigint) => [{ asset: ETHER, amount: String(amount) }]
const deposit = (depositId: string, amount: bigint) => ({
  walletId: 'w1',
  accountId: 'a1',
  depositId,
  asset: ETHER,
  amount: String(amount),
})
const seen = { chain: 'eip155:1', hash: 'h', from: null, block, source: 'transaction' } as const

/** The figures that a store makes of the writes. */
function figuresAfter(events: readonly WalletEvent[]): { [figure: string]: bigint } {
  const groups: { [figure: string]: { [index: string]: number } } = { settled: {}, reserved: {}, pending: {} }
  for (const { increment } of events.flatMap((event) => balances.apply(recorded(event))))
    for (const [path, by] of Object.entries(increment ?? {})) {
      const [figure = '', index = ''] = path.split('.')
      groups[figure]![index] = (groups[figure]![index] ?? 0) + by
    }
  return Object.fromEntries(Object.entries(groups).map(([figure, each]) => [figure, sumOf(each)]))
}

test('balances follow deposits and transfers through their lives', (t) => {
  const much = 10n ** 21n
  const began: WalletEvent[] = [
    { type: 'DepositDetected', data: { ...deposit('d1', much), ...seen } },
    { type: 'DepositDetected', data: { ...deposit('d2', 5n), ...seen } },
    { type: 'DepositCredited', data: { ...deposit('d1', much), confirmations: 12 } },
    { type: 'FundsReserved', data: { ...account, reserved: funds(121n) } },
  ]
  t.deepEqual(figuresAfter(began), { settled: much, reserved: 121n, pending: 5n })
  const mined = { version: 1, hash: 'h', block }
  const finalized: WalletEvent[] = [
    { type: 'TransferFinalized', data: { ...account, ...mined, feePaid: '15', spent: funds(115n) } },
    { type: 'FundsReleased', data: { ...account, released: funds(6n), nonce: null } },
  ]
  t.deepEqual(figuresAfter([...began, ...finalized]), { settled: much - 115n, reserved: 0n, pending: 5n })
  const undone: WalletEvent[] = [
    { type: 'DepositReverted', data: { ...deposit('d1', much), was: 'credited' } },
    { type: 'DepositReverted', data: { ...deposit('d2', 5n), was: 'pending' } },
  ]
  t.deepEqual(figuresAfter([...began, ...finalized, ...undone]), { settled: -115n, reserved: 0n, pending: 0n })
})

test('an account and asset have one document, whatever moves them', (t) => {
  const ids = (event: WalletEvent) => balances.apply(recorded(event)).map(({ id }) => id)
  const [one] = ids({ type: 'FundsReserved', data: { ...account, reserved: funds(1n) } })
  t.deepEqual(ids({ type: 'DepositReverted', data: { ...deposit('d', 1n), was: 'pending' } }), [one])
  const other = ids({ type: 'FundsReserved', data: { ...account, reserved: [{ asset: 'eip155:1/erc20:0x01', amount: '1' }] } })
  t.not(other[0], one)
})

test('a transfer shows where it is, and nothing of what its client has signed unless approvers are to see it', (t) => {
  const setBy = (event: WalletEvent) => transfers.apply(recorded(event))[0]?.set
  const requires = { approvals: null, signers: 2, notBefore: null }
  const data = {
    ...account,
    keyId: 'k',
    scheme: 'dkls23-secp256k1',
    chain: 'eip155:1',
    path: 'm',
    publicKey: '00',
    address: '0x01',
    asset: ETHER,
    to: '0x02',
    amount: '5',
    fee: 'normal',
    maxFee: null,
    memo: null,
    feeAsset: ETHER,
    quotedFee: '21',
    usdCents: null,
    decision: { outcome: 'allowed', findings: [], requires: { approvals: null, signers: 2, delaySeconds: 0 } },
    requires,
    status: 'submitted',
    requestedAt: AT,
    deadline: AT,
    authorisation: { method: 'POST', path: '/', body: 'private words', intent: 'a.b.c' },
  } as const
  const requested = setBy({ type: 'TransferRequested', data })
  t.like(requested, { status: 'submitted', from: '0x01', signers: 2, place: '00000000000000000007', tenant: 'acme' })
  t.notRegex(JSON.stringify(requested), /private words|a\.b\.c/)
  const approvals = { required: 1, approvers: ['alice'] }
  const pending = setBy({ type: 'TransferRequested', data: { ...data, requires: { ...requires, approvals }, status: 'pending_approval' } })
  t.like(pending, { status: 'pending_approval', approvals, request: { body: 'private words' } })
  t.notRegex(JSON.stringify(pending), /a\.b\.c/)

  t.like(setBy({ type: 'TransferStuck', data: { ...of, since: AT, reason: 'not_mined' } }), {
    status: 'stuck',
    stuck: { reason: 'not_mined' },
  })
  t.like(setBy({ type: 'TransferUnstuck', data: { ...of, status: 'signed' } }), { status: 'signed', stuck: null })
  t.like(setBy({ type: 'TransferReorganised', data: { ...of, version: 1, hash: 'h', was: block } }), {
    status: 'broadcasting',
    block: null,
    reorganisedFrom: block,
  })
  t.like(setBy({ type: 'TransferFailed', data: { ...of, code: 'dust', rule: null } }), { status: 'failed', failure: { code: 'dust' } })
})
