import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { AssignedTransfer, TransferAssignmentEvent } from './events.ts'

export type TransferAssignment = { status: 'absent' } | (AssignedTransfer & { status: 'assigned' })

export type AssignTransfer = { type: 'AssignTransfer' } & AssignedTransfer

/**
 * Written before the wallet decides, so that no transfer is there which cannot be found. That an id is assigned does not say that the wallet has such a transfer: it
 * may have refused it.
 */
export const transferAssignment: Decider<TransferAssignment, AssignTransfer, TransferAssignmentEvent> = {
  stateVersion: 1,
  initial: { status: 'absent' },

  decide(state, { type: _, ...data }) {
    return state.status === 'assigned' ? [] : [{ type: 'TransferAssigned', data }]
  },

  evolve: (_, event) => ({ status: 'assigned', ...event.data }),
}

/** @throws DomainError `transfer_not_found` */
export function requireAssigned(state: TransferAssignment): AssignedTransfer {
  if (state.status === 'absent') throw new DomainError('transfer_not_found', 'no such transfer')
  return state
}
