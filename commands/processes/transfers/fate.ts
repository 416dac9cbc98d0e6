import type { TransactionStatus } from '../../../domain/ports/chain-node.ts'
import type { TransferCommand } from '../../../domain/wallet/transfers/commands.ts'
import type { Transfer } from '../../../domain/wallet/transfers/transfer.ts'

/** What the chain says of one of a transfer's transactions. */
export type Sight = { version: number; status: TransactionStatus }

/**
 * What has become of a transfer by what the chain says of its transactions, of which at most one can be mined.
 * `commands` write that down; `isLost` says that no node knows the newest any more, so that it should be sent again; `hasExpired` that none can be mined any more because
 * their time has passed, so that it takes another one.
 */
export type Fate = { commands: readonly TransferCommand[]; isLost: boolean; hasExpired: boolean }

type Followed = Pick<Transfer, 'transferId' | 'status' | 'mined'>

/** @param sights in the order of the versions, one at least */
export function fateOf(transfer: Followed, sights: readonly Sight[], confirmationsWanted: number): Fate {
  const { transferId, mined } = transfer
  const open = { isLost: false, hasExpired: false }
  for (const { version, status } of sights)
    if (status.state === 'included') return { ...open, commands: included(transfer, version, status, confirmationsWanted) }

  const reorganised: TransferCommand[] = mined ? [{ type: 'ReorganiseTransfer', transferId }] : []
  const impossible = sights.flatMap(({ status }) => (status.state === 'impossible' ? [status] : []))
  if (impossible.length < sights.length) return { ...open, commands: reorganised, isLost: sights.at(-1)?.status.state === 'unknown' }
  const replaced = impossible.find(({ reason }) => reason === 'replaced')
  if (replaced) return { ...open, commands: [...reorganised, { type: 'ReplaceTransfer', transferId, by: replaced.by }] }
  return { ...open, commands: reorganised, hasExpired: true }
}

function included(
  { transferId, status: before, mined }: Followed,
  version: number,
  { block, confirmations, outcome, isFinal, fee, moved }: Extract<TransactionStatus, { state: 'included' }>,
  confirmationsWanted: number,
): readonly TransferCommand[] {
  const at = { transferId, version, outcome, block: { height: String(block.height), hash: block.hash } }
  const isConfirmed = isFinal || confirmations >= confirmationsWanted
  const isNews = mined?.version !== version || mined.block.hash !== block.hash || (isConfirmed && before !== 'confirmed')
  const confirm: TransferCommand[] = isNews ? [{ type: 'ConfirmTransfer', ...at, confirmations, isConfirmed }] : []
  if (!isFinal) return confirm
  const amounts = moved && { moved: { left: String(moved.left), received: String(moved.received) } }
  return [...confirm, { type: 'FinalizeTransfer', ...at, feePaid: String(fee), ...amounts }]
}
