import { decideTransferApproval, revised } from './approving.ts'
import { allocateNonce, buildTransfer } from './building.ts'
import type { TransferCommand } from './commands.ts'
import { dropTransfer, expireTransfer, failTransfer, rejectTransfer, replaceTransfer } from './ending.ts'
import type { TransferEvent } from './events.ts'
import { type Holder, requireTransfer } from './holdings.ts'
import { broadcastTransfer, confirmTransfer, finalizeTransfer, reorganiseTransfer, signTransfer } from './mining.ts'
import { accelerateTransfer, cancelTransfer, failReplacement } from './replacing.ts'
import { requestTransfer } from './requesting.ts'
import { markStuck, unmarkStuck } from './stuck.ts'
import { latestOf } from './transfer.ts'

/** What a command makes of the transfers of a wallet. @throws DomainError when it is refused */
export function decideTransfer(holder: Holder, command: TransferCommand): readonly TransferEvent[] {
  if (command.type === 'RequestTransfer') return requestTransfer(holder, command)
  const transfer = requireTransfer(holder, command.transferId)
  switch (command.type) {
    case 'DecideTransfer':
      return decideTransferApproval(holder, transfer, command)
    case 'AllocateNonce':
      return allocateNonce(holder, transfer, command)
    case 'BuildTransfer':
      return buildTransfer(holder, transfer, command)
    case 'SignTransfer':
      return signTransfer(holder, transfer, command)
    case 'BroadcastTransfer':
      return broadcastTransfer(holder, transfer, command.version)
    case 'ConfirmTransfer':
      return confirmTransfer(holder, transfer, command)
    case 'ReorganiseTransfer':
      return reorganiseTransfer(holder, transfer)
    case 'FinalizeTransfer':
      return finalizeTransfer(holder, transfer, command)
    case 'ReplaceTransfer':
      return replaceTransfer(holder, transfer, command.by)
    case 'DropTransfer':
      return dropTransfer(holder, transfer, command.reason)
    case 'FailTransfer':
      return failTransfer(holder, transfer, command)
    case 'ReviseTransfer':
      return latestOf(transfer) ? [] : revised(holder, transfer).events
    case 'RejectTransfer':
      return rejectTransfer(holder, transfer, command.code, command.rule)
    case 'ExpireTransfer':
      return expireTransfer(holder, transfer, command.now)
    case 'CancelTransfer':
      return cancelTransfer(holder, transfer, command)
    case 'AccelerateTransfer':
      return accelerateTransfer(holder, transfer, command)
    case 'FailReplacement':
      return failReplacement(holder, transfer, command.code)
    case 'MarkTransferStuck':
      return markStuck(holder, transfer, command)
    case 'UnmarkTransferStuck':
      return unmarkStuck(holder, transfer)
  }
}
