/** Which wallet a transfer is of: what is asked of a transfer by its id is decided by its wallet. */
export type AssignedTransfer = { transferId: string; walletId: string; tenant: string }

export type TransferAssignmentEvent = { type: 'TransferAssigned'; data: AssignedTransfer }

/** Stream by which the wallet of a transfer is found. */
export const transferStream = (transferId: string) => `transfer-${transferId}`
export const TRANSFER_STREAMS = 'transfer-'
