/** Those that are not left any more. */
export const ENDED_STATUSES = ['finalized', 'rejected', 'cancelled', 'expired', 'failed', 'reverted', 'dropped', 'replaced'] as const

/** What a transfer can be, in the order in which one that comes off passes through; then where it can be held up, and how it can end. */
export const TRANSFER_STATUSES = [
  'submitted',
  'pending_approval',
  'queued',
  'signing',
  'signed',
  'broadcasting',
  'confirming',
  'confirmed',
  'stuck',
  ...ENDED_STATUSES,
] as const

/** Those that a client who waits for a confirmation need not wait in any longer. */
export const CONFIRMED_STATUSES = ['confirmed', ...ENDED_STATUSES] as const
