import { DomainError } from '../../domain-error.ts'
import type { TransferCommand } from './commands.ts'
import { ended, identityOf } from './ending.ts'
import type { TransferEvent } from './events.ts'
import { together } from './funds.ts'
import { type Holder, outOfOrder } from './holdings.ts'
import type { Transaction, Transfer } from './transfer.ts'

type Command<Type extends TransferCommand['type']> = Extract<TransferCommand, { type: Type }>
type SignedTransaction = Transaction & { raw: string; hash: string }

/** @throws DomainError `transfer_out_of_order` when the transaction was signed otherwise before */
export function signTransfer(
  holder: Holder,
  transfer: Transfer,
  { version, raw, hash }: Command<'SignTransfer'>,
): readonly TransferEvent[] {
  const before = transactionOf(transfer, version)
  if (before.hash === hash) return []
  if (before.hash !== null) throw new DomainError('transfer_out_of_order', `version ${version} is signed already`)
  return [{ type: 'TransferSigned', data: { ...identityOf(holder, transfer), version, raw, hash } }]
}

export function broadcastTransfer(holder: Holder, transfer: Transfer, version: number): readonly TransferEvent[] {
  const { isBroadcast, hash } = signedTransactionOf(transfer, version)
  return isBroadcast ? [] : [{ type: 'TransferBroadcast', data: { ...identityOf(holder, transfer), version, hash } }]
}

/** Confirmations are noted when they are enough, and not one by one. */
export function confirmTransfer(holder: Holder, transfer: Transfer, command: Command<'ConfirmTransfer'>): readonly TransferEvent[] {
  const { version, block, confirmations, outcome, isConfirmed } = command
  const { hash } = signedTransactionOf(transfer, version)
  const { mined } = transfer
  const isSame = mined?.block.hash === block.hash && mined.version === version
  if (isSame && (transfer.status === 'confirmed' || !isConfirmed)) return []
  const status = isConfirmed ? 'confirmed' : 'confirming'
  const data = { ...identityOf(holder, transfer), version, hash, block, confirmations, outcome, status } as const
  return [...(isSame ? [] : reorganiseTransfer(holder, transfer)), { type: 'TransferConfirmed', data }]
}

/** Nothing unless it was in a block. */
export function reorganiseTransfer(holder: Holder, transfer: Transfer): readonly TransferEvent[] {
  const { mined } = transfer
  if (!mined) return []
  const { version, hash, block: was } = mined
  return [{ type: 'TransferReorganised', data: { ...identityOf(holder, transfer), version, hash, was } }]
}

/** The amount has left the account when it was the transfer that was mined, and has worked, or as much as the chain says instead; the fee in any case. */
export function finalizeTransfer(holder: Holder, transfer: Transfer, command: Command<'FinalizeTransfer'>): readonly TransferEvent[] {
  const { version, block, outcome, feePaid, moved } = command
  const { hash, as, requestedBy } = signedTransactionOf(transfer, version)
  const { accountId, asset, amount, feeAsset } = transfer
  const mined = { version, hash, block }
  const fee = { asset: feeAsset, amount: feePaid }
  const identity = { ...identityOf(holder, transfer), accountId }
  if (as === 'cancellation') {
    const spent = together([fee])
    return ended(holder, transfer, { type: 'TransferCancelled', data: { ...identity, by: requestedBy!, mined, spent } }, spent)
  }
  if (outcome === 'reverted') {
    const spent = together([fee])
    return ended(holder, transfer, { type: 'TransferReverted', data: { ...identity, ...mined, feePaid, spent } }, spent)
  }
  const spent = together([{ asset, amount: moved?.left ?? amount }, fee])
  const received = moved && { received: moved.received }
  return ended(holder, transfer, { type: 'TransferFinalized', data: { ...identity, ...mined, feePaid, spent, ...received } }, spent)
}

/** @throws DomainError `transfer_out_of_order` */
function transactionOf(transfer: Transfer, version: number): Transaction {
  const transaction = transfer.transactions.find((each) => each.version === version)
  if (!transaction) throw outOfOrder(transfer)
  return transaction
}

/** @throws DomainError `transfer_out_of_order` */
function signedTransactionOf(transfer: Transfer, version: number): SignedTransaction {
  const transaction = transactionOf(transfer, version)
  const { raw, hash } = transaction
  if (raw === null || hash === null) throw outOfOrder(transfer)
  return { ...transaction, raw, hash }
}
