import test from 'ava'
import fc from 'fast-check'
import { fold } from '../../decider.ts'
import { DomainError } from '../../domain-error.ts'
import { type WalletCommand, wallet } from '../wallet.ts'
import { availableOf } from './funds.ts'
import { after, authorisation, build, detection, fund, mined, nonceConflict, request, type Scenario, scenario } from './testing/scenario.ts'

const ids = fc.constantFrom('t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7')
const accounts = fc.constantFrom('a', 'b')
const amounts = fc.integer({ min: 1, max: 60 })
const heights = fc.integer({ min: 1, max: 6 })
const versions = fc.constantFrom(1, 1, 1, 2, 3)
const outcomes = fc.constantFrom('succeeded', 'reverted') as fc.Arbitrary<'succeeded' | 'reverted'>

/** What may be tried; what it names need not be there. The nonce of a build is filled in from the state, and sometimes a wrong one. */
type Step =
  | WalletCommand
  | { type: 'Build'; transferId: string; as: 'transfer' | 'acceleration' | 'cancellation'; fee: number; slip: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(accounts, amounts, heights, fc.integer({ min: 0, max: 30 }))
    .map(([accountId, amount, height, id]) => detection(`d${id}`, BigInt(amount), { accountId, height })),
  fc.integer({ min: 0, max: 30 }).map((id): Step => ({ type: 'CreditDeposit', depositId: `d${id}`, confirmations: 1 })),
  fc
    .tuple(ids, accounts, amounts, fc.integer({ min: 0, max: 9 }))
    .map(([id, accountId, amount, fee]): Step => request(id, { accountId, amount: String(amount), quotedFee: String(fee) })),
  fc
    .tuple(ids, fc.integer({ min: 0, max: 9 }))
    .map(([transferId, observed]): Step => ({ type: 'AllocateNonce', transferId, observed: String(observed), now: after(0) })),
  fc
    .tuple(
      ids,
      fc.constantFrom('transfer', 'transfer', 'transfer', 'acceleration', 'cancellation'),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, -1),
    )
    .map(([transferId, as, fee, slip]) => ({ type: 'Build', transferId, as, fee, slip }) as Step),
  fc
    .tuple(ids, versions)
    .map(([transferId, version]): Step => ({ type: 'SignTransfer', transferId, version, raw: 'AA==', hash: `${transferId}${version}` })),
  fc.tuple(ids, versions).map(([transferId, version]): Step => ({ type: 'BroadcastTransfer', transferId, version })),
  fc
    .tuple(ids, versions, heights, outcomes, fc.boolean())
    .map(([id, version, height, outcome, isConfirmed]): Step => mined('ConfirmTransfer', id, { version, height, outcome, isConfirmed })),
  ids.map((transferId): Step => ({ type: 'ReorganiseTransfer', transferId })),
  fc
    .tuple(ids, versions, outcomes, fc.integer({ min: 0, max: 5 }))
    .map(([id, version, outcome, fee]): Step => mined('FinalizeTransfer', id, { version, outcome, feePaid: String(fee) })),
  ids.map((transferId): Step => ({ type: 'CancelTransfer', transferId, maxFee: null, by: 'x', authorisation })),
  ids.map((transferId): Step => ({ type: 'AccelerateTransfer', transferId, fee: 'high', maxFee: null, by: 'x', authorisation })),
  fc.tuple(ids, fc.constantFrom(undefined, 1, 1, 2)).map(
    ([transferId, unclaimedUpTo]): Step => ({
      type: 'FailTransfer',
      transferId,
      code: 'x',
      rule: null,
      ...(unclaimedUpTo === undefined ? {} : { unclaimedUpTo }),
    }),
  ),
  ids.map((transferId): Step => ({ type: 'ReplaceTransfer', transferId, by: null })),
  ids.map((transferId): Step => ({ type: 'ExpireTransfer', transferId, now: after(99_999) })),
  fc.constantFrom<Step>({ type: 'Freeze', reason: '' }, { type: 'Unfreeze', reason: '' }),
)

const few = fc.constantFrom('t0', 't1')

/** What leads to signed transactions, and away from them: tried more often, as it takes several in a row to get there. */
const onward: fc.Arbitrary<Step> = fc.oneof(
  few.map((id): Step => request(id, { amount: '1', quotedFee: '1' })),
  few.map((transferId): Step => ({ type: 'AllocateNonce', transferId, observed: '0', now: after(0) })),
  few.map((transferId): Step => ({ type: 'Build', transferId, as: 'transfer', fee: 1, slip: 0 })),
  few.map((transferId): Step => ({ type: 'SignTransfer', transferId, version: 1, raw: 'AA==', hash: `${transferId}1` })),
  few.map((transferId): Step => ({ type: 'ReplaceTransfer', transferId, by: null })),
)

const step = fc.oneof({ weight: 1, arbitrary: anyStep }, { weight: 2, arbitrary: onward })

const undo = fc.integer({ min: 0, max: 30 }).map((id): Step => ({ type: 'RevertDeposit', depositId: `d${id}` }))

function commandOf(side: Scenario, each: Step): WalletCommand {
  if (each.type !== 'Build') return each
  const transfer = side.state().transfers[each.transferId]
  const version = (transfer?.transactions.length ?? 0) + 1
  const conflicts = transfer?.nonce == null ? [] : [nonceConflict(Number(transfer.nonce) + each.slip)]
  return build(each.transferId, version, {
    as: each.as,
    fee: String(each.fee),
    conflicts,
    hashOfUnsigned: `${each.transferId}/${version}/${each.as}`,
  })
}

/** Whether the wallet took it. */
function attempted(side: Scenario, each: Step): boolean {
  try {
    side.do(commandOf(side, each))
    return true
  } catch (error) {
    if (error instanceof DomainError) return false
    throw error
  }
}

function eachPosition(
  side: Scenario,
  check: (accountId: string, asset: string, position: { settled: string; reserved: string; pending: string }) => void,
) {
  for (const [accountId, assets] of Object.entries(side.state().funds))
    for (const [asset, position] of Object.entries(assets)) check(accountId, asset, position)
}

function runs(t: { pass(): void }, steps: fc.Arbitrary<readonly Step[]>, check: (side: Scenario, each: Step) => void): void {
  fc.assert(
    fc.property(steps, (tried) => {
      const side = scenario()
      for (const accountId of ['a', 'b']) fund(side, 200n, { accountId, depositId: `first of ${accountId}` })
      for (const each of tried) if (attempted(side, each)) check(side, each)
    }),
    { numRuns: 300 },
  )
  t.pass()
}

test('whatever happens, nobody reserves what is not there', (t) => {
  runs(t, fc.array(step, { maxLength: 120 }), (side) =>
    eachPosition(side, (accountId, asset, { settled, reserved, pending }) => {
      const context = `${accountId} ${asset} ${settled} ${reserved} ${pending}`
      if (BigInt(settled) < BigInt(reserved) || BigInt(reserved) < 0n || BigInt(pending) < 0n) throw new Error(context)
    }),
  )
})

test('nor where deposits are undone: what is available is never negative, and what is reserved is what transfers have reserved', (t) => {
  runs(t, fc.array(fc.oneof({ weight: 8, arbitrary: step }, { weight: 1, arbitrary: undo }), { maxLength: 120 }), (side) => {
    eachPosition(side, (_, __, position) => {
      if (availableOf(position) < 0n || BigInt(position.pending) < 0n) throw new Error(JSON.stringify(position))
    })
    const reserved = new Map<string, bigint>()
    for (const { accountId, reserved: funds } of Object.values(side.state().transfers))
      for (const { asset, amount } of funds)
        reserved.set(`${accountId} ${asset}`, (reserved.get(`${accountId} ${asset}`) ?? 0n) + BigInt(amount))
    eachPosition(side, (accountId, asset, position) => {
      if (BigInt(position.reserved) !== (reserved.get(`${accountId} ${asset}`) ?? 0n))
        throw new Error(`${accountId} reserves ${position.reserved}`)
    })
  })
})

test('money is neither made nor lost: what is settled is what was credited without what was undone and spent', (t) => {
  runs(t, fc.array(fc.oneof({ weight: 8, arbitrary: step }, { weight: 1, arbitrary: undo }), { maxLength: 120 }), (side) => {
    let expected = 0n
    for (const { type, data } of side.events()) {
      if (type === 'DepositCredited') expected += BigInt(data.amount)
      if (type === 'DepositReverted' && data.was === 'credited') expected -= BigInt(data.amount)
      if (type === 'TransferFinalized' || type === 'TransferReverted' || type === 'TransferCancelled')
        for (const { amount } of data.spent) expected -= BigInt(amount)
    }
    let settled = 0n
    eachPosition(side, (_, __, position) => {
      settled += BigInt(position.settled)
    })
    if (settled !== expected) throw new Error(`${settled} instead of ${expected}`)
  })
})

test('no nonce of an account is in the signed transactions of two transfers', (t) => {
  runs(t, fc.array(step, { maxLength: 120 }), (side) => {
    const owners = new Map<string, string>()
    const slots = new Map<string, readonly string[]>()
    for (const { type, data } of side.events()) {
      if (type === 'TransferBuilt')
        slots.set(
          `${data.transferId}/${data.version}`,
          data.conflicts.map((conflict) => `${data.accountId} ${conflict}`),
        )
      if (type !== 'TransferSigned') continue
      for (const slot of slots.get(`${data.transferId}/${data.version}`) ?? []) {
        const owner = owners.get(slot) ?? data.transferId
        if (owner !== data.transferId) throw new Error(`${slot} is signed for ${owner} and ${data.transferId}`)
        owners.set(slot, owner)
      }
    }
  })
})

test('no nonce is skipped: each below the next one is of a transaction, of a transfer under way, or free', (t) => {
  const counted = step.map((each): Step => (each.type === 'AllocateNonce' ? { ...each, observed: '0' } : each))
  runs(t, fc.array(counted, { maxLength: 120 }), (side) => {
    const used = new Set<string>()
    for (const { type, data } of side.events())
      if (type === 'TransferBuilt') for (const conflict of data.conflicts) used.add(`${data.accountId} ${conflict}`)
    for (const { accountId, nonce } of Object.values(side.state().transfers)) used.add(`${accountId} ${nonceConflict(`${nonce}`)}`)
    for (const [accountId, { next, free }] of Object.entries(side.state().nonces))
      for (let nonce = 0; nonce < Number(next); nonce++)
        if (!used.has(`${accountId} ${nonceConflict(`${nonce}`)}`) && !free.includes(String(nonce)))
          throw new Error(`${accountId} skips ${nonce}`)
  })
})

test('a frozen wallet signs for nothing that was not built before', (t) => {
  const begun: readonly string[] = ['TransferRequested', 'NonceAllocated', 'TransferReplacementRequested']
  runs(t, fc.array(step, { maxLength: 120 }), (side) => {
    const [newest] = side.events().slice(-1)
    // The same again is no refusal, and changes nothing.
    const wasFrozen = fold(wallet, side.events().slice(0, -1)).status === 'frozen'
    if (newest && wasFrozen && begun.includes(newest.type)) throw new Error(newest.type)
  })
})

test('the state that is stored as JSON is the one that the events lead to', (t) => {
  runs(t, fc.array(fc.oneof(step, undo), { maxLength: 60 }), (side) => {
    const folded = JSON.stringify(fold(wallet, side.events()))
    if (folded !== JSON.stringify(side.state()) || JSON.stringify(JSON.parse(folded)) !== folded) throw new Error('the states differ')
  })
})
