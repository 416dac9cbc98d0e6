import { DomainError } from '../../domain-error.ts'
import { isApproved, revised } from './approving.ts'
import type { TransferCommand } from './commands.ts'
import { identityOf } from './ending.ts'
import type { Purpose, TransferEvent } from './events.ts'
import { requireAvailable } from './funds.ts'
import { type Holder, outOfOrder, requireUnfrozen } from './holdings.ts'
import { nextNonce } from './nonces.ts'
import { conflictsOf, isContended, latestOf, type Transaction, type Transfer } from './transfer.ts'

type Build = Extract<TransferCommand, { type: 'BuildTransfer' }>
type Allocate = Extract<TransferCommand, { type: 'AllocateNonce' }>

const NONCE = 'nonce:'

/** The nonce of a transfer that is about to be built: one for all its transactions. @throws DomainError as `readiness` */
export function allocateNonce(holder: Holder, transfer: Transfer, { observed, now }: Allocate): readonly TransferEvent[] {
  if (transfer.nonce !== null) return []
  const { isReady, revision } = readiness(holder, transfer, now)
  if (!isReady) return revision
  const { accountId } = transfer
  const held = othersOf(holder, transfer).flatMap(({ nonce }) => (nonce === null ? [] : [BigInt(nonce)]))
  const nonce = String(nextNonce(holder.nonces[accountId], BigInt(observed), held))
  return [...revision, { type: 'NonceAllocated', data: { ...identityOf(holder, transfer), accountId, nonce } }]
}

/**
 * The same transaction again changes nothing. A fee beyond what is reserved is reserved with it.
 * @throws DomainError as `readiness`; `conflict_taken`, `insufficient_funds`
 */
export function buildTransfer(holder: Holder, transfer: Transfer, build: Build): readonly TransferEvent[] {
  const { type: _, now, ...built } = build
  const latest = latestOf(transfer)
  if (latest?.hashOfUnsigned === build.hashOfUnsigned && latest.as === build.as) return []
  requireUnfrozen(holder)
  if (transfer.mined) throw outOfOrder(transfer)
  if (build.replaces !== (latest?.version ?? null))
    throw new DomainError('transfer_out_of_order', `version ${latest?.version ?? 0} is the latest`)
  const { isReady, revision } = latest ? REPLACING : readiness(holder, transfer, now)
  if (latest) requireReplacing(transfer, latest, build)
  else if (build.as !== 'transfer') throw outOfOrder(transfer)
  if (!isReady) return revision
  requireOwnConflicts(holder, transfer, build)
  const { accountId } = transfer
  const authorisation = build.as === 'transfer' ? null : (transfer.replacement?.authorisation ?? null)
  const version = (latest?.version ?? 0) + 1
  return [
    ...revision,
    ...moreReserved(holder, transfer, build),
    { type: 'TransferBuilt', data: { ...identityOf(holder, transfer), accountId, ...built, version, authorisation } },
  ]
}

type Readiness = { isReady: boolean; revision: readonly TransferEvent[] }

/** What takes the place of a transaction was judged when that was built. */
const REPLACING: Readiness = { isReady: true, revision: [] }

/**
 * Whether it may be built, and what is to be noted of it, or done with it, because the policy was changed since it was judged.
 * @throws DomainError `wallet_frozen`, `transfer_out_of_order`, `transfer_too_early`
 */
function readiness(holder: Holder, transfer: Transfer, now: string): Readiness {
  requireUnfrozen(holder)
  if (transfer.status !== 'submitted' && transfer.status !== 'queued') throw outOfOrder(transfer)
  const judgement = revised(holder, transfer)
  if (judgement.kind === 'rejected' || !isApproved(judgement)) return { isReady: false, revision: judgement.events }
  const { notBefore } = judgement.requires
  if (notBefore !== null && Date.parse(now) < Date.parse(notBefore))
    throw new DomainError('transfer_too_early', `it may be signed from ${notBefore} on`)
  return { isReady: true, revision: judgement.events }
}

/** @throws DomainError `transfer_out_of_order` unless at most one of the two can be mined */
function requireReplacing(transfer: Transfer, latest: Transaction, { as, conflicts }: Build): void {
  if (as === 'transfer') {
    // Made anew after the one before has died of age, which is for those that use up nothing else.
    if (isContended(latest.conflicts) || latest.validity === null || transfer.replacement) throw outOfOrder(transfer)
    return
  }
  if (transfer.replacement?.as !== as) throw outOfOrder(transfer)
  if (!conflicts.some((conflict) => latest.conflicts.includes(conflict)))
    throw new DomainError('transfer_out_of_order', 'both transactions could be mined')
}

/** @throws DomainError `conflict_taken` when it uses up what another transfer does, or another nonce than its own */
function requireOwnConflicts(holder: Holder, transfer: Transfer, { conflicts }: Build): void {
  const taken = new Set(othersOf(holder, transfer).flatMap(conflictsOf))
  const nonces = conflicts.filter((conflict) => conflict.startsWith(NONCE))
  const own = transfer.nonce === null ? [] : [`${NONCE}${transfer.address}:${transfer.nonce}`]
  if (conflicts.some((conflict) => taken.has(conflict)) || nonces.join() !== own.join())
    throw new DomainError('conflict_taken', 'the transaction would use up what is not for this transfer')
}

function moreReserved(holder: Holder, transfer: Transfer, { as, fee }: Build): readonly TransferEvent[] {
  const { accountId, feeAsset } = transfer
  const missing = BigInt(fee) - reservedForFee(transfer, as)
  if (missing <= 0n) return []
  const reserved = [{ asset: feeAsset, amount: String(missing) }]
  requireAvailable(holder.funds, accountId, reserved, ['/fee'])
  return [{ type: 'FundsReserved', data: { ...identityOf(holder, transfer), accountId, reserved } }]
}

/** A cancellation leaves the amount where it is, but the transaction before it may still be the one that is mined. */
function reservedForFee({ asset, amount, feeAsset, reserved }: Transfer, as: Purpose): bigint {
  const all = BigInt(reserved.find((each) => each.asset === feeAsset)?.amount ?? 0)
  return as !== 'cancellation' && asset === feeAsset ? all - BigInt(amount) : all
}

const othersOf = ({ transfers }: Holder, { transferId, accountId }: Transfer): Transfer[] =>
  Object.values(transfers).filter((other) => other.accountId === accountId && other.transferId !== transferId)
