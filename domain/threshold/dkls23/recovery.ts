import type { KeyMaterial, Participant, RecoveryOptions } from '../protocol.ts'
import { recovery as recoverSharedKey } from '../shared-key/recovery.ts'
import { sharedKeyOf } from './key-material.ts'
import { suite } from './suite.ts'

/**
 * Gives one participant the share that it has lost. What it had set up with the others is not restored: it signs when all shares have been
 * refreshed. @throws ProtocolAbort `invalid_key`, `invalid_parameters`
 */
export function recovery({ key, ...options }: RecoveryOptions): Participant<KeyMaterial | null> {
  return recoverSharedKey(suite, key ? { ...options, key: sharedKeyOf(key) } : options)
}
