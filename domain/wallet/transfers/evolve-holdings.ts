import { forgotten, noted } from '../../policy/history.ts'
import { evolveDeposits } from './deposits.ts'
import type { DepositEvent, TransferEvent } from './events.ts'
import { announce, credit, release, reserve, revoke, spend, together } from './funds.ts'
import type { Holder } from './holdings.ts'
import { movedBy } from './judgement.ts'
import { allocated, givenBack } from './nonces.ts'
import type { End, EndedTransfers, Transfer } from './transfer.ts'

/** Transfers that ended whose ids are remembered: more than can be asked for again by an intent that still holds. */
const ENDED_KEPT = 1_000

export function evolveHoldings<State extends Holder>(state: State, event: TransferEvent | DepositEvent): State {
  switch (event.type) {
    case 'DepositDetected':
      return { ...state, deposits: evolveDeposits(state.deposits, event), funds: announce(state.funds, event.data.accountId, event.data) }
    case 'DepositCredited':
      return { ...state, deposits: evolveDeposits(state.deposits, event), funds: credit(state.funds, event.data.accountId, event.data) }
    case 'DepositReverted': {
      const { accountId, was } = event.data
      return { ...state, deposits: evolveDeposits(state.deposits, event), funds: revoke(state.funds, accountId, event.data, was) }
    }
    case 'TransferRequested':
      return requested(state, event.data)
    case 'FundsReserved': {
      const { accountId, reserved } = event.data
      const withReserved = { ...state, funds: reserve(state.funds, accountId, reserved) }
      return changed(withReserved, event.data.transferId, (transfer) => ({
        ...transfer,
        reserved: together([...transfer.reserved, ...reserved]),
      }))
    }
    case 'FundsReleased': {
      const { accountId, released, nonce } = event.data
      const funds = release(state.funds, accountId, released)
      return { ...state, funds, nonces: nonce === null ? state.nonces : givenBack(state.nonces, accountId, nonce) }
    }
    case 'NonceAllocated': {
      const { transferId, accountId, nonce } = event.data
      const withNonce = { ...state, nonces: allocated(state.nonces, accountId, nonce) }
      return changed(withNonce, transferId, (transfer) => ({ ...transfer, nonce, status: 'queued' }))
    }
    case 'TransferFinalized':
      return ended(state, event.data, 'finalized')
    case 'TransferReverted':
      return ended(state, event.data, 'reverted')
    case 'TransferCancelled':
      return ended(state, event.data, 'cancelled')
    case 'TransferReplaced':
      return ended(state, event.data, 'replaced')
    case 'TransferDropped':
      return ended(state, event.data, 'dropped')
    case 'TransferFailed':
      return ended(state, event.data, 'failed')
    case 'TransferRejected':
      return ended(state, event.data, 'rejected')
    case 'TransferExpired':
      return ended(state, event.data, 'expired')
    case 'TransferApprovalRejected':
      if (event.data.status === 'rejected') return ended(state, event.data, 'rejected')
      return changed(state, event.data.transferId, (transfer) => ({ ...transfer, refused: [...transfer.refused, event.data.approver] }))
    default:
      return changed(state, event.data.transferId, (transfer) => evolveTransfer(transfer, event, state.policyVersion))
  }
}

type Changing = Exclude<
  TransferEvent,
  {
    type:
      | 'TransferRequested'
      | 'FundsReserved'
      | 'FundsReleased'
      | 'NonceAllocated'
      | 'TransferFinalized'
      | 'TransferReverted'
      | 'TransferCancelled'
      | 'TransferReplaced'
      | 'TransferDropped'
      | 'TransferFailed'
      | 'TransferRejected'
      | 'TransferExpired'
      | 'TransferApprovalRejected'
  }
>

function evolveTransfer(transfer: Transfer, event: Changing, policyVersion: number): Transfer {
  switch (event.type) {
    case 'TransferApproved': {
      const { approver, authorisation, status } = event.data
      return {
        ...transfer,
        granted: [...transfer.granted, approver],
        approvedBy: [...transfer.approvedBy, authorisation],
        status,
      }
    }
    case 'TransferApprovalsRevised': {
      const { requires, granted, refused } = event.data
      const approvedBy = transfer.approvedBy.filter((_, index) => granted.includes(transfer.granted[index]!))
      const isApproved = granted.length >= (requires.approvals?.required ?? 0)
      return { ...transfer, policyVersion, requires, granted, approvedBy, refused, status: isApproved ? 'queued' : 'pending_approval' }
    }
    case 'TransferBuilt': {
      const { walletId: _, transferId: __, accountId: ___, ...built } = event.data
      const requestedBy = transfer.replacement?.by ?? null
      const transaction = { ...built, requestedBy, raw: null, hash: null, isBroadcast: false }
      return { ...transfer, transactions: [...transfer.transactions, transaction], replacement: null, stuck: null, status: 'signing' }
    }
    case 'TransferSigned': {
      const { version, raw, hash } = event.data
      return onItsWay(withTransaction(transfer, version, { raw, hash }), 'signed')
    }
    case 'TransferBroadcast':
      return onItsWay(withTransaction(transfer, event.data.version, { isBroadcast: true }), 'broadcasting')
    case 'TransferConfirmed': {
      const { version, hash, block, status } = event.data
      return { ...transfer, mined: { version, hash, block }, stuck: null, status }
    }
    case 'TransferReorganised':
      return { ...transfer, mined: null, status: 'broadcasting' }
    case 'TransferReplacementRequested': {
      const { as, fee, maxFee, by, authorisation } = event.data
      return { ...transfer, replacement: { as, fee, maxFee, by, authorisation } }
    }
    case 'TransferReplacementFailed':
      return { ...transfer, replacement: null }
    case 'TransferStuck': {
      const { since, reason } = event.data
      return { ...transfer, stuck: { since, reason }, status: 'stuck' }
    }
    case 'TransferUnstuck':
      return { ...transfer, stuck: null, status: event.data.status }
  }
}

/** What one version goes through says nothing of a transfer that is in a block by another. */
const onItsWay = (transfer: Transfer, status: 'signed' | 'broadcasting'): Transfer =>
  transfer.mined ? transfer : { ...transfer, stuck: null, status }

const withTransaction = (transfer: Transfer, version: number, change: Partial<Transfer['transactions'][number]>): Transfer => ({
  ...transfer,
  transactions: transfer.transactions.map((each) => (each.version === version ? { ...each, ...change } : each)),
})

function requested<State extends Holder>(state: State, data: Extract<TransferEvent, { type: 'TransferRequested' }>['data']): State {
  const { walletId: _, decision: __, ...asked } = data
  const transfer: Transfer = {
    ...asked,
    policyVersion: state.policyVersion,
    granted: [],
    approvedBy: [],
    refused: [],
    reserved: [],
    nonce: null,
    transactions: [],
    mined: null,
    replacement: null,
    stuck: null,
  }
  const moved = noted(state.moved, movedBy(transfer, Date.parse(transfer.requestedAt))) ?? state.moved
  return { ...state, moved, transfers: { ...state.transfers, [transfer.transferId]: transfer } }
}

function changed<State extends Holder>(state: State, transferId: string, change: (transfer: Transfer) => Transfer): State {
  const transfer = state.transfers[transferId]
  return transfer ? { ...state, transfers: { ...state.transfers, [transferId]: change(transfer) } } : state
}

/** Only what has reached its destination counts in the windows of the policy from then on. */
function ended<State extends Holder>(state: State, data: { transferId: string; spent?: Parameters<typeof spend>[2] }, end: End): State {
  const { [data.transferId]: transfer, ...transfers } = state.transfers
  if (!transfer) return state
  const moved = end === 'finalized' ? state.moved : forgotten(state.moved, movedBy(transfer, Date.parse(transfer.requestedAt)))
  const funds = data.spent ? spend(state.funds, transfer.accountId, data.spent) : state.funds
  return { ...state, transfers, funds, moved, ended: withEnd(state.ended, data.transferId, end) }
}

function withEnd(ended: EndedTransfers, transferId: string, end: End): EndedTransfers {
  const kept = Object.keys(ended).length < ENDED_KEPT ? ended : Object.fromEntries(Object.entries(ended).slice(1 - ENDED_KEPT))
  return { ...kept, [transferId]: end }
}
