import { type PartyIndex, ProtocolAbort, type Threshold } from '../protocol.ts'

/**
 * The signers in ascending order.
 * @throws ProtocolAbort `invalid_parameters` when one is named twice or is not a participant of the key, or when they are too few
 */
export function requireSigners(signers: readonly PartyIndex[], { threshold, parties }: Threshold): PartyIndex[] {
  const distinct = new Set(signers)
  if (distinct.size !== signers.length || !signers.every((party) => Number.isInteger(party) && party >= 1 && party <= parties))
    throw new ProtocolAbort('invalid_parameters', 'a signer is named twice or has no share')
  if (signers.length < threshold) throw new ProtocolAbort('invalid_parameters', `${signers.length} signers, but ${threshold} are needed`)
  return [...signers].sort((a, b) => a - b)
}
