import test from 'ava'
import { DomainError } from '../../domain-error.ts'
import type { Authorisation } from '../../key-share/events.ts'
import type { WalletCommand } from '../wallet.ts'
import { availableOf, positionOf } from './funds.ts'
import {
  after,
  approvers,
  authorisation,
  build,
  detection,
  ETHER,
  fund,
  mined,
  nonceConflict,
  request,
  type Scenario,
  scenario,
  send,
  USDC,
} from './testing/scenario.ts'

const refused = (code: string) => ({ instanceOf: DomainError, code }) as const
const types = (events: readonly { type: string }[]) => events.map(({ type }) => type)
const available = (side: Scenario, asset = ETHER) => availableOf(positionOf(side.state().funds, 'a', asset))
const funded = (policy?: Parameters<typeof scenario>[0]) => {
  const side = scenario(policy)
  fund(side, 1_000n)
  return side
}
const cancel = (transferId: string): WalletCommand => ({ type: 'CancelTransfer', transferId, maxFee: null, by: 'alice', authorisation })
const accelerate = (transferId: string): WalletCommand => ({
  type: 'AccelerateTransfer',
  transferId,
  fee: 'high',
  maxFee: null,
  by: 'alice',
  authorisation,
})
const status = (side: Scenario, transferId = 't') => side.state().transfers[transferId]?.status ?? side.state().ended[transferId]

test('a transfer reserves its amount and its fee in the same breath', (t) => {
  const side = funded()
  const events = side.do(request('t'))
  t.deepEqual(types(events), ['TransferRequested', 'FundsReserved'])
  t.like(events[1], { data: { reserved: [{ asset: ETHER, amount: '110' }] } })
  t.is(available(side), 890n)
})

test('a token is reserved apart from the coin that its fee is paid in', (t) => {
  const side = funded()
  fund(side, 500n, { asset: USDC })
  side.do(request('t', { asset: USDC, amount: '500' }))
  t.deepEqual([available(side), available(side, USDC)], [990n, 0n])
})

test('what is not there cannot be moved, nor twice', (t) => {
  const side = funded()
  const error = t.throws(() => side.do(request('t', { amount: '991' })), refused('insufficient_funds')) as DomainError
  t.is(error.pointer, '/amount')
  t.regex(error.message, /1001.*1000/)
  side.do(request('t', { amount: '990' }))
  t.throws(() => side.do(request('u', { amount: '1', quotedFee: '0' })), refused('insufficient_funds'))
  fund(side, 5n, { asset: USDC })
  const fee = t.throws(() => side.do(request('u', { asset: USDC, amount: '5' })), refused('insufficient_funds')) as DomainError
  t.is(fee.pointer, '/fee')
})

test('an intent is for one transfer, also once that has ended', (t) => {
  const side = funded()
  side.do(request('t'))
  t.throws(() => side.do(request('t')), refused('intent_reused'))
  side.do(cancel('t'))
  t.throws(() => side.do(request('t')), refused('intent_reused'))
})

test('a transfer goes through its steps, and what it has not spent is available again', (t) => {
  const side = funded()
  side.do(request('t'))
  t.is(status(side), 'submitted')
  side.do({ type: 'AllocateNonce', transferId: 't', observed: '5', now: after(0) })
  t.is(status(side), 'queued')
  side.do(build('t', 1, { conflicts: [nonceConflict(5)] }))
  t.is(status(side), 'signing')
  side.do({ type: 'SignTransfer', transferId: 't', version: 1, raw: 'AA==', hash: '0x1' })
  t.is(status(side), 'signed')
  side.do({ type: 'BroadcastTransfer', transferId: 't', version: 1 })
  t.is(status(side), 'broadcasting')
  side.do(mined('ConfirmTransfer', 't'))
  t.is(status(side), 'confirming')
  side.do(mined('ConfirmTransfer', 't', { isConfirmed: true }))
  t.is(status(side), 'confirmed')
  const end = side.do(mined('FinalizeTransfer', 't', { feePaid: '7' }))
  t.deepEqual(types(end), ['TransferFinalized', 'FundsReleased'])
  t.like(end[0], { data: { spent: [{ asset: ETHER, amount: '107' }] } })
  t.like(end[1], { data: { released: [{ asset: ETHER, amount: '3' }], nonce: null } })
  t.is(status(side), 'finalized')
  t.is(available(side), 893n)
  t.deepEqual(positionOf(side.state().funds, 'a', ETHER), { settled: '893', reserved: '0', pending: '0' })
})

test('what is done already changes nothing', (t) => {
  const side = funded()
  side.do(request('t'))
  const nonce = send(side, 't')
  side.do(mined('ConfirmTransfer', 't', { isConfirmed: true }))
  for (const again of [
    { type: 'AllocateNonce', transferId: 't', observed: '9', now: after(0) },
    build('t', 1, { conflicts: [nonceConflict(nonce)] }),
    { type: 'SignTransfer', transferId: 't', version: 1, raw: 'AB==', hash: '0xt1' },
    { type: 'BroadcastTransfer', transferId: 't', version: 1 },
    mined('ConfirmTransfer', 't', { isConfirmed: true }),
    mined('ConfirmTransfer', 't'),
    { type: 'MarkTransferStuck', transferId: 't', since: after(0), reason: 'x' },
    { type: 'FailReplacement', transferId: 't', code: 'x' },
  ] as const)
    t.deepEqual(side.do(again), [], again.type)
  t.throws(
    () => side.do({ type: 'SignTransfer', transferId: 't', version: 1, raw: 'AC==', hash: '0xother' }),
    refused('transfer_out_of_order'),
  )
})

test('no step is left out', (t) => {
  const side = funded()
  side.do(request('t'))
  const tooEarly: WalletCommand[] = [
    { type: 'SignTransfer', transferId: 't', version: 1, raw: '', hash: '' },
    { type: 'BroadcastTransfer', transferId: 't', version: 1 },
    mined('ConfirmTransfer', 't'),
    mined('FinalizeTransfer', 't'),
    { type: 'ReplaceTransfer', transferId: 't', by: null },
    { type: 'DropTransfer', transferId: 't', reason: '' },
    { type: 'MarkTransferStuck', transferId: 't', since: '', reason: '' },
    accelerate('t'),
    build('t', 1, { as: 'cancellation' }),
  ]
  for (const command of tooEarly) t.throws(() => side.do(command), refused('transfer_out_of_order'), command.type)
  side.do(build('t', 1))
  for (const command of tooEarly.slice(1, 4)) t.throws(() => side.do(command), refused('transfer_out_of_order'), command.type)
  t.throws(() => side.do({ type: 'BroadcastTransfer', transferId: 'nobody', version: 1 }), refused('transfer_not_found'))
  side.do({ type: 'DropTransfer', transferId: 't', reason: 'expired' })
  t.throws(() => side.do({ type: 'BroadcastTransfer', transferId: 't', version: 1 }), refused('transfer_terminal'))
})

for (const [end, command, spent] of [
  ['failed', { type: 'FailTransfer', transferId: 't', code: 'dust', rule: null }, 0n],
  ['rejected', { type: 'RejectTransfer', transferId: 't', code: 'policy_denied', rule: 'daily' }, 0n],
  ['expired', { type: 'ExpireTransfer', transferId: 't', now: after(3_600) }, 0n],
  ['cancelled', cancel('t'), 0n],
] as const) {
  test(`one that is ${end} before it is built gives back everything, its nonce too`, (t) => {
    const side = funded()
    side.do(request('t'))
    side.do({ type: 'AllocateNonce', transferId: 't', observed: '5', now: after(0) })
    const [, released] = side.do(command)
    t.like(released, { type: 'FundsReleased', data: { nonce: '5' } })
    t.is(status(side), end)
    t.is(available(side), 1_000n - spent)
    t.deepEqual(side.state().transfers, {})
    side.do(request('u'))
    t.like(side.do({ type: 'AllocateNonce', transferId: 'u', observed: '5', now: after(0) })[0], { data: { nonce: '5' } })
  })
}

test('what may be signed ends with a word of the chain alone', (t) => {
  const side = funded()
  side.do(request('t'))
  side.do({ type: 'AllocateNonce', transferId: 't', observed: '0', now: after(0) })
  side.do(build('t', 1, { conflicts: [nonceConflict(0)] }))
  t.throws(() => side.do({ type: 'FailTransfer', transferId: 't', code: 'x', rule: null }), refused('transfer_may_be_signed'))
  for (const command of [
    { type: 'ExpireTransfer', now: after(9_999) },
    { type: 'RejectTransfer', code: 'x', rule: null },
  ] as const)
    t.throws(() => side.do({ ...command, transferId: 't' }), refused('transfer_out_of_order'))
  t.deepEqual(types(side.do(cancel('t'))), ['TransferReplacementRequested'])
  side.do({ type: 'SignTransfer', transferId: 't', version: 1, raw: 'AA==', hash: '0x1' })
  const unclaimed = { type: 'FailTransfer', transferId: 't', code: 'x', rule: null, unclaimedUpTo: 1 } as const
  t.throws(() => side.do(unclaimed), refused('transfer_may_be_signed'))
  t.is(available(side), 890n)
})

test('where every party has refused before it claimed anything, the nonce is free again', (t) => {
  const side = funded()
  side.do(request('t'))
  side.do({ type: 'AllocateNonce', transferId: 't', observed: '0', now: after(0) })
  side.do(build('t', 1, { conflicts: [nonceConflict(0)] }))
  const events = side.do({ type: 'FailTransfer', transferId: 't', code: 'policy_forbids', rule: 'daily', unclaimedUpTo: 1 })
  t.like(events[1], { data: { nonce: '0' } })
  t.is(available(side), 1_000n)
})

test('of what another version was built for meanwhile nobody can say that it is unclaimed', (t) => {
  const side = funded()
  side.do(request('t'))
  side.do({ type: 'AllocateNonce', transferId: 't', observed: '0', now: after(0) })
  const conflicts = [nonceConflict(0)]
  side.do(build('t', 1, { conflicts }))
  side.do(cancel('t'))
  side.do(build('t', 2, { as: 'cancellation', conflicts }))
  const fail = { type: 'FailTransfer', transferId: 't', code: 'x', rule: null } as const
  t.throws(() => side.do({ ...fail, unclaimedUpTo: 1 }), refused('transfer_may_be_signed'))
  t.like(side.do({ ...fail, unclaimedUpTo: 2 })[1], { data: { nonce: '0' } })
})

test('a nonce is kept as long as what was built after it can only be mined once it is used', (t) => {
  const side = funded()
  for (const id of ['t', 'u']) side.do(request(id))
  side.do({ type: 'AllocateNonce', transferId: 't', observed: '0', now: after(0) })
  side.do(build('t', 1, { conflicts: [nonceConflict(0)] }))
  send(side, 'u')
  const fail = { type: 'FailTransfer', transferId: 't', code: 'x', rule: null, unclaimedUpTo: 1 } as const
  t.throws(() => side.do(fail), refused('transfer_may_be_signed'))
  side.do({ type: 'MarkTransferStuck', transferId: 't', since: after(0), reason: 'x' })
  side.do(cancel('t'))
  t.deepEqual(types(side.do(build('t', 2, { as: 'cancellation', conflicts: [nonceConflict(0)] }))), ['TransferBuilt'])
})

test('a reverted transfer has cost its fee', (t) => {
  const side = funded()
  side.do(request('t'))
  send(side, 't')
  side.do(mined('FinalizeTransfer', 't', { outcome: 'reverted', feePaid: '9' }))
  t.is(status(side), 'reverted')
  t.is(available(side), 991n)
})

test('where the chain says what has moved, that is what is gone, and what has come to the destination is noted', (t) => {
  const side = funded()
  side.do(request('t'))
  send(side, 't')
  const [finalized] = side.do({ ...mined('FinalizeTransfer', 't'), moved: { left: '30', received: '20' } } as WalletCommand)
  t.like(finalized, { type: 'TransferFinalized', data: { received: '20' } })
  t.is(available(side), 963n)
})

test('a reorganisation moves a transfer back, and says so', (t) => {
  const side = funded()
  side.do(request('t'))
  send(side, 't')
  side.do(mined('ConfirmTransfer', 't', { isConfirmed: true }))
  t.deepEqual(types(side.do({ type: 'ReorganiseTransfer', transferId: 't' })), ['TransferReorganised'])
  t.is(status(side), 'broadcasting')
  t.deepEqual(side.do({ type: 'ReorganiseTransfer', transferId: 't' }), [])
  side.do(mined('ConfirmTransfer', 't', { height: 21 }))
  t.deepEqual(types(side.do(mined('ConfirmTransfer', 't', { height: 22 }))), ['TransferReorganised', 'TransferConfirmed'])
  t.is(side.state().transfers.t?.mined?.block.height, '22')
})

test('a transaction is replaced at a higher fee, and whichever is mined decides', (t) => {
  for (const version of [1, 2]) {
    const side = funded()
    side.do(request('t'))
    const conflicts = [nonceConflict(send(side, 't'))]
    side.do(accelerate('t'))
    t.throws(() => side.do(accelerate('t')), refused('replacement_under_way'))
    t.throws(() => side.do(build('t', 2, { as: 'acceleration', conflicts: [nonceConflict(8)] })), refused('transfer_out_of_order'))
    t.throws(() => side.do(build('t', 2, { as: 'cancellation', conflicts })), refused('transfer_out_of_order'))
    const built = side.do(build('t', 2, { as: 'acceleration', conflicts, fee: '25' }))
    t.deepEqual(types(built), ['FundsReserved', 'TransferBuilt'])
    t.like(built[1], { data: { version: 2, replaces: 1, authorisation } })
    t.is(available(side), 1_000n - 125n)
    t.throws(() => side.do(accelerate('t')), refused('replacement_under_way'))
    side.do({ type: 'SignTransfer', transferId: 't', version: 2, raw: 'AA==', hash: '0x2' })
    side.do({ type: 'BroadcastTransfer', transferId: 't', version: 2 })
    side.do(mined('ConfirmTransfer', 't', { version }))
    side.do(mined('FinalizeTransfer', 't', { version, feePaid: version === 1 ? '8' : '20' }))
    t.is(status(side), 'finalized')
    t.is(available(side), version === 1 ? 892n : 880n)
  }
})

test('an acceleration that cannot be paid for is refused, and the transaction before stands', (t) => {
  const side = scenario()
  fund(side, 115n)
  side.do(request('t'))
  const conflicts = [nonceConflict(send(side, 't'))]
  side.do(accelerate('t'))
  t.throws(() => side.do(build('t', 2, { as: 'acceleration', conflicts, fee: '16' })), refused('insufficient_funds'))
  t.deepEqual(types(side.do({ type: 'FailReplacement', transferId: 't', code: 'insufficient_funds' })), ['TransferReplacementFailed'])
  t.is(status(side), 'broadcasting')
  t.notThrows(() => side.do(accelerate('t')))
})

test('once it is built a transfer is cancelled by another transaction, unless it is mined before that', (t) => {
  for (const version of [1, 2]) {
    const side = funded()
    side.do(request('t'))
    const conflicts = [nonceConflict(send(side, 't'))]
    side.do(cancel('t'))
    t.deepEqual(side.do(cancel('t')), [])
    side.do(build('t', 2, { as: 'cancellation', conflicts, fee: '20' }))
    t.deepEqual(side.do(cancel('t')), [])
    side.do({ type: 'SignTransfer', transferId: 't', version: 2, raw: 'AA==', hash: '0x2' })
    const [end] = side.do(mined('FinalizeTransfer', 't', { version, feePaid: '15' }))
    if (version === 2) t.like(end, { type: 'TransferCancelled', data: { by: 'alice', spent: [{ amount: '15' }] } })
    t.is(status(side), version === 1 ? 'finalized' : 'cancelled')
    t.is(available(side), version === 1 ? 885n : 985n)
  }
})

test('what is in a block is neither cancelled nor accelerated, and where nothing is used up nothing can be replaced', (t) => {
  const side = funded()
  side.do(request('t'))
  send(side, 't')
  side.do(mined('ConfirmTransfer', 't'))
  for (const command of [cancel('t'), accelerate('t')]) t.throws(() => side.do(command), refused('transfer_out_of_order'))
  side.do(request('u'))
  side.do(build('u', 1, { validity: '100', conflicts: ['message:1'] }))
  t.throws(() => side.do(cancel('u')), refused('not_replaceable'))
  t.notThrows(() => side.do({ type: 'FailTransfer', transferId: 'u', code: 'x', rule: null }))
})

test('a transaction that has died of age is made anew, one that has not is not', (t) => {
  const side = funded()
  side.do(request('t'))
  side.do(build('t', 1, { validity: '100', conflicts: ['message:1'] }))
  side.do({ type: 'SignTransfer', transferId: 't', version: 1, raw: 'AA==', hash: '1' })
  t.deepEqual(types(side.do(build('t', 2, { validity: '200', conflicts: ['message:2'] }))), ['TransferBuilt'])
  t.throws(() => side.do(build('t', 4, { validity: '300' })), refused('transfer_out_of_order'))
  side.do(request('u'))
  send(side, 'u')
  t.throws(() => side.do(build('u', 2, { conflicts: [nonceConflict(0)] })), refused('transfer_out_of_order'))
})

test('no two transfers of an account use up the same, and none another nonce than its own', (t) => {
  const side = funded()
  for (const id of ['t', 'u', 'v']) side.do(request(id))
  side.do(build('t', 1, { conflicts: ['input:a:0'] }))
  t.throws(() => side.do(build('u', 1, { conflicts: ['input:b:0', 'input:a:0'] })), refused('conflict_taken'))
  side.do({ type: 'AllocateNonce', transferId: 'v', observed: '3', now: after(0) })
  for (const conflicts of [[], [nonceConflict(2)], [nonceConflict(3), nonceConflict(4)]])
    t.throws(() => side.do(build('v', 1, { conflicts })), refused('conflict_taken'))
  t.throws(() => side.do(build('u', 1, { conflicts: [nonceConflict(9)] })), refused('conflict_taken'))
  t.notThrows(() => side.do(build('v', 1, { conflicts: [nonceConflict(3)] })))
})

test('nonces are counted by the wallet, from where the chain is, each given once', (t) => {
  const side = funded()
  const nonces = Array.from({ length: 5 }, (_, index) => {
    side.do(request(`t${index}`, { amount: '1' }))
    // A node that lags behind says what it knows.
    return send(side, `t${index}`, index === 0 ? '7' : '3')
  })
  t.deepEqual(nonces, ['7', '8', '9', '10', '11'])
})

test('where the key was used elsewhere the account goes on from there, once it has nothing under way', (t) => {
  const side = funded()
  side.do(request('t'))
  send(side, 't', '0')
  side.do(request('u'))
  t.is(send(side, 'u', '9'), '1')
  for (const id of ['t', 'u']) side.do(mined('FinalizeTransfer', id))
  side.do(request('v'))
  t.is(send(side, 'v', '9'), '9')
})

test('a nonce that was given back is given out before another is counted, the lowest first', (t) => {
  const side = funded()
  for (const id of ['t', 'u', 'v']) {
    side.do(request(id, { amount: '1' }))
    side.do({ type: 'AllocateNonce', transferId: id, observed: '0', now: after(0) })
  }
  side.do(cancel('u'))
  side.do(cancel('t'))
  for (const [id, nonce] of [
    ['x', '0'],
    ['y', '1'],
    ['z', '3'],
  ] as const) {
    side.do(request(id, { amount: '1' }))
    t.like(side.do({ type: 'AllocateNonce', transferId: id, observed: '0', now: after(0) })[0], { data: { nonce } })
  }
})

test('a frozen wallet moves nothing, but gives back what is not on its way', (t) => {
  const side = funded()
  side.do(request('t'))
  side.do(request('u'))
  const nonce = send(side, 'u')
  side.do({ type: 'Freeze', reason: '' })
  for (const command of [
    request('v'),
    { type: 'AllocateNonce', transferId: 't', observed: '0', now: after(0) },
    build('t', 1),
    accelerate('u'),
    cancel('u'),
    build('u', 2, { as: 'acceleration', conflicts: [nonceConflict(nonce)] }),
  ] as const)
    t.throws(() => side.do(command), refused('wallet_frozen'), command.type)
  side.do(cancel('t'))
  side.do(mined('FinalizeTransfer', 'u'))
  t.deepEqual([status(side, 't'), status(side, 'u')], ['cancelled', 'finalized'])
})

const decide = (approver: string, decision: 'approve' | 'reject' = 'approve', lapsed: string[] = []): WalletCommand => ({
  type: 'DecideTransfer',
  transferId: 't',
  approver,
  decision,
  authorisation: { ...authorisation, body: approver },
  lapsed,
  now: after(60),
})

test('a transfer waits for as many approvers as the policy wants, and ends when they cannot be had any more', (t) => {
  const side = funded({ rawDigests: false, approvals: approvers(2, 'alice', 'bob', 'carol') })
  side.do(request('t'))
  t.is(status(side), 'pending_approval')
  t.throws(() => side.do(build('t', 1)), refused('transfer_out_of_order'))
  t.throws(() => side.do(decide('mallory')), refused('not_an_approver'))
  side.do(decide('alice'))
  t.deepEqual(side.do(decide('alice')), [])
  t.throws(() => side.do(decide('alice', 'reject')), refused('already_decided'))
  t.is(status(side), 'pending_approval')
  side.do(decide('bob'))
  t.is(status(side), 'queued')
  t.throws(() => side.do(decide('carol')), refused('transfer_not_pending_approval'))
  t.deepEqual(
    side.state().transfers.t?.approvedBy.map((given) => (given as Authorisation).body),
    ['alice', 'bob'],
  )

  const other = funded({ rawDigests: false, approvals: approvers(2, 'alice', 'bob', 'carol') })
  other.do(request('t'))
  other.do(decide('alice', 'reject'))
  t.is(status(other), 'pending_approval')
  t.deepEqual(types(other.do(decide('bob', 'reject'))), ['TransferApprovalRejected', 'FundsReleased'])
  t.is(status(other), 'rejected')
  t.is(available(other), 1_000n)
})

test('an approver who comes too late finds it expired', (t) => {
  const side = funded({ rawDigests: false, approvals: approvers(1, 'alice') })
  side.do(request('t'))
  t.deepEqual(side.do({ type: 'ExpireTransfer', transferId: 't', now: after(24 * 3_600 - 1) }), [])
  t.deepEqual(types(side.do({ ...decide('alice'), now: after(24 * 3_600) } as WalletCommand)), ['TransferExpired', 'FundsReleased'])
})

const changePolicy = (side: Scenario, policy: Parameters<typeof scenario>[0] & object) =>
  side.do({ type: 'ChangePolicy', policy, authorisation, approvals: [], intents: [] })

test('the policy in force when it moves decides, not the one it was asked for under', (t) => {
  const limited = { rawDigests: false, transfers: { limits: [{ id: 'small', atMost: { asset: ETHER, amount: '50' } }] } }
  const denied = funded()
  denied.do(request('t'))
  changePolicy(denied, limited)
  t.like(denied.do(build('t', 1))[0], { type: 'TransferRejected', data: { code: 'policy_denied', rule: 'small' } })
  t.is(available(denied), 1_000n)

  const raised = funded()
  raised.do(request('t'))
  changePolicy(raised, { rawDigests: false, approvals: approvers(1, 'alice') })
  t.deepEqual(types(raised.do(build('t', 1))), ['TransferApprovalsRevised'])
  t.is(status(raised), 'pending_approval')
  raised.do(decide('alice'))
  t.deepEqual(types(raised.do(build('t', 1))), ['TransferBuilt'])

  const eased = funded({ rawDigests: false, approvals: approvers(2, 'alice', 'bob') })
  eased.do(request('t'))
  eased.do(decide('alice'))
  changePolicy(eased, { rawDigests: false, approvals: approvers(1, 'bob', 'carol') })
  t.deepEqual(types(eased.do(decide('carol'))), ['TransferApprovalsRevised', 'TransferApproved'])
  t.deepEqual(eased.state().transfers.t?.granted, ['carol'])

  const freed = funded({ rawDigests: false, approvals: approvers(1, 'alice') })
  freed.do(request('t'))
  t.deepEqual(freed.do({ type: 'ReviseTransfer', transferId: 't' }), [])
  changePolicy(freed, { rawDigests: false })
  freed.do({ type: 'ReviseTransfer', transferId: 't' })
  t.is(status(freed), 'queued')
})

test('an approval that would not be taken any more is asked for again', (t) => {
  const side = funded({ rawDigests: false, approvals: approvers(2, 'alice', 'bob') })
  side.do(request('t'))
  side.do(decide('alice'))
  t.deepEqual(types(side.do(decide('bob', 'approve', ['alice']))), ['TransferApprovalsRevised', 'TransferApproved'])
  t.is(status(side), 'pending_approval')
  side.do(decide('alice'))
  t.is(status(side), 'queued')
})

test('a transfer that is denied names the rule, and a time lock is waited for', (t) => {
  const rules = {
    limits: [{ id: 'one', atMost: { asset: ETHER, amount: '100' } }],
    tiers: [{ id: 'slow', above: { asset: ETHER, amount: '50' }, delaySeconds: 600 }],
  }
  const side = funded({ rawDigests: false, transfers: rules })
  const error = t.throws(() => side.do(request('t', { amount: '101' })), refused('policy_denied')) as DomainError
  t.deepEqual([error.rule, error.pointer], ['one', '/amount'])
  side.do(request('t'))
  t.throws(() => side.do(build('t', 1)), refused('transfer_too_early'))
  t.throws(() => side.do(build('t', 1, { now: after(599) })), refused('transfer_too_early'))
  t.notThrows(() => side.do(build('t', 1, { now: after(600) })))
})

test('more signers than the key has parties cannot sign', (t) => {
  const side = funded({ rawDigests: false, transfers: { tiers: [{ id: 'all', above: { asset: ETHER, amount: '50' }, signers: 4 }] } })
  t.throws(() => side.do(request('t')), refused('too_few_parties'))
  side.do(request('t', { holders: 4 }))
  t.is(side.state().transfers.t?.requires.signers, 4)
})

test('transfers at the same time do not slip through a window together, and what came to nothing does not count', (t) => {
  const window = { id: 'hourly', atMost: { asset: ETHER, amount: '250' }, windowSeconds: 3_600 }
  const side = funded({ rawDigests: false, transfers: { limits: [window] } })
  side.do(request('t'))
  side.do(request('u'))
  t.throws(() => side.do(request('v')), refused('policy_denied'))
  side.do(cancel('t'))
  side.do(request('v'))
  t.throws(() => side.do(request('w', { now: after(3_599) })), refused('policy_denied'))
  t.notThrows(() => side.do(request('w', { now: after(3_600) })))
})

test('deposits are pending until they are credited, and noted once', (t) => {
  const side = scenario()
  side.do(detection('d', 70n))
  t.deepEqual(side.do(detection('d', 70n)), [])
  t.deepEqual(positionOf(side.state().funds, 'a', ETHER), { settled: '0', reserved: '0', pending: '70' })
  t.is(available(side), 0n)
  side.do({ type: 'CreditDeposit', depositId: 'd', confirmations: 12 })
  t.deepEqual(side.do({ type: 'CreditDeposit', depositId: 'd', confirmations: 13 }), [])
  t.deepEqual(side.do(detection('d', 70n)), [])
  t.is(available(side), 70n)
  t.throws(() => side.do({ type: 'CreditDeposit', depositId: 'e', confirmations: 1 }), refused('deposit_unknown'))
})

test('a deposit that a reorganisation has undone is taken back; in another block it comes in again', (t) => {
  const side = scenario()
  side.do(detection('d', 70n))
  side.do({ type: 'RevertDeposit', depositId: 'd' })
  t.deepEqual(side.do({ type: 'RevertDeposit', depositId: 'd' }), [])
  t.deepEqual(side.state().funds, {})
  side.do(detection('d', 70n))
  t.deepEqual(types(side.do(detection('d', 70n, { height: 11 }))), ['DepositReverted', 'DepositDetected'])
  side.do({ type: 'CreditDeposit', depositId: 'd', confirmations: 12 })
  t.like(side.do({ type: 'RevertDeposit', depositId: 'd' })[0], { data: { was: 'credited' } })
  t.is(available(side), 0n)
})

test('who has spent what was undone owes it: nothing is available until it is there again', (t) => {
  const side = scenario()
  fund(side, 110n, { depositId: 'd' })
  side.do(request('t'))
  side.do({ type: 'RevertDeposit', depositId: 'd' })
  t.is(available(side), 0n)
  fund(side, 60n)
  t.is(available(side), 0n)
  t.throws(() => side.do(request('u', { amount: '1', quotedFee: '0' })), refused('insufficient_funds'))
  side.do(cancel('t'))
  t.is(available(side), 60n)
})

test('a deposit that was credited long ago is not credited again when the chain is read again', (t) => {
  const side = scenario()
  for (let index = 0; index < 1_005; index++) {
    side.do(detection(`d${index}`, 1n, { height: 100 + index }))
    side.do({ type: 'CreditDeposit', depositId: `d${index}`, confirmations: 12 })
  }
  t.deepEqual(side.do(detection('d0', 1n, { height: 100 })), [])
  t.deepEqual(types(side.do(detection('new', 1n, { height: 2_000 }))), ['DepositDetected'])
  t.is(available(side), 1_005n)
})

test('transfers and deposits under way are bounded', (t) => {
  const side = scenario()
  fund(side, 10n ** 9n)
  for (let index = 0; index < 1_000; index++) side.do(request(`u${index}`, { amount: '1' }))
  t.throws(() => side.do(request('one more', { amount: '1' })), refused('too_many_transfers'))
  for (let index = 0; index < 2_000; index++) side.do(detection(`x${index}`, 1n))
  t.throws(() => side.do(detection('one more', 1n)), refused('too_many_deposits'))
})
