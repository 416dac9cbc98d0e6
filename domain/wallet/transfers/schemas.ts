import { authorisation } from '../../authorisation/shapes.ts'
import { FEE_LEVELS } from '../../ports/chain-node.ts'
import type { EventSchemas } from '../../upcasting/event-schema.ts'
import { either, fields, listOf, oneOf, optional, orNull, personal, recordOf, text, whole } from '../../upcasting/shape.ts'
import type { DepositEvent, TransferEvent } from './events.ts'

const identity = { walletId: text, transferId: text }
const funds = listOf(fields({ asset: text, amount: text }))
const block = fields({ height: text, hash: text })
const mined = { version: whole, hash: text, block }
const outcome = oneOf('succeeded', 'reverted')
const fee = oneOf(...FEE_LEVELS)

const approvals = orNull(fields({ required: whole, approvers: listOf(text) }))
const requires = fields({ approvals, signers: whole, notBefore: orNull(text) })
const finding = fields({
  rule: text,
  outcome: oneOf('passed', 'denied', 'required'),
  because: text,
  numbers: recordOf(orNull(either(text, whole))),
})
const decision = fields({
  outcome: oneOf('allowed', 'denied'),
  findings: listOf(finding),
  requires: fields({ approvals, signers: whole, delaySeconds: whole }),
})

const decidedBy = { ...identity, approver: text, authorisation: personal(authorisation) }
const ended = fields({ ...identity, code: text, rule: orNull(text) })

/** What the events of transfers hold, through their versions. */
export const transferSchemas: EventSchemas<TransferEvent> = {
  TransferRequested: {
    shape: fields({
      ...identity,
      accountId: text,
      keyId: text,
      scheme: text,
      chain: text,
      path: text,
      publicKey: text,
      address: text,
      asset: text,
      to: text,
      amount: text,
      fee,
      maxFee: orNull(text),
      memo: personal(orNull(text)),
      publicMemo: optional(text),
      feeAsset: text,
      quotedFee: text,
      usdCents: orNull(text),
      psbt: optional(text),
      decision,
      requires,
      status: oneOf('submitted', 'pending_approval'),
      requestedAt: text,
      deadline: text,
      authorisation: personal(authorisation),
    }),
  },
  FundsReserved: { shape: fields({ ...identity, accountId: text, reserved: funds }) },
  TransferApproved: { shape: fields({ ...decidedBy, status: oneOf('pending_approval', 'queued') }) },
  TransferApprovalRejected: { shape: fields({ ...decidedBy, status: oneOf('pending_approval', 'rejected') }) },
  TransferApprovalsRevised: { shape: fields({ ...identity, decision, requires, granted: listOf(text), refused: listOf(text) }) },
  NonceAllocated: { shape: fields({ ...identity, accountId: text, nonce: text }) },
  TransferBuilt: {
    shape: fields({
      ...identity,
      accountId: text,
      version: whole,
      as: oneOf('transfer', 'acceleration', 'cancellation'),
      unsigned: text,
      hashOfUnsigned: text,
      fee: text,
      conflicts: listOf(text),
      validity: orNull(text),
      sessionIds: listOf(text),
      replaces: orNull(whole),
      authorisation: personal(orNull(authorisation)),
    }),
  },
  TransferSigned: { shape: fields({ ...identity, version: whole, raw: text, hash: text }) },
  TransferBroadcast: { shape: fields({ ...identity, version: whole, hash: text }) },
  TransferConfirmed: {
    shape: fields({ ...identity, ...mined, confirmations: whole, outcome, status: oneOf('confirming', 'confirmed') }),
  },
  TransferReorganised: { shape: fields({ ...identity, version: whole, hash: text, was: block }) },
  TransferReplacementRequested: {
    shape: fields({
      ...identity,
      as: oneOf('acceleration', 'cancellation'),
      fee: orNull(fee),
      maxFee: orNull(text),
      by: text,
      authorisation: personal(authorisation),
    }),
  },
  TransferReplacementFailed: { shape: fields({ ...identity, as: oneOf('acceleration', 'cancellation'), code: text }) },
  TransferStuck: { shape: fields({ ...identity, since: text, reason: text }) },
  TransferUnstuck: { shape: fields({ ...identity, status: oneOf('signing', 'signed', 'broadcasting') }) },
  TransferFinalized: { shape: fields({ ...identity, accountId: text, ...mined, feePaid: text, spent: funds, received: optional(text) }) },
  TransferReverted: { shape: fields({ ...identity, accountId: text, ...mined, feePaid: text, spent: funds }) },
  TransferCancelled: { shape: fields({ ...identity, accountId: text, by: text, mined: orNull(fields(mined)), spent: funds }) },
  TransferReplaced: { shape: fields({ ...identity, by: orNull(text) }) },
  TransferDropped: { shape: fields({ ...identity, reason: text }) },
  TransferFailed: { shape: ended },
  TransferRejected: { shape: ended },
  TransferExpired: { shape: fields({ ...identity, deadline: text }) },
  FundsReleased: { shape: fields({ ...identity, accountId: text, released: funds, nonce: orNull(text) }) },
}

const deposit = { walletId: text, accountId: text, depositId: text, asset: text, amount: text }

/** What the events of deposits hold, through their versions. */
export const depositSchemas: EventSchemas<DepositEvent> = {
  DepositDetected: {
    shape: fields({ ...deposit, chain: text, hash: orNull(text), from: orNull(text), block, source: oneOf('transaction', 'balance') }),
  },
  DepositCredited: { shape: fields({ ...deposit, confirmations: whole }) },
  DepositReverted: { shape: fields({ ...deposit, was: oneOf('pending', 'credited') }) },
}
