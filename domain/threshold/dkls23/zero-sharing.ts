import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { PartyIndex } from '../protocol.ts'
import { askScalar } from './hashing.ts'

const { Fn } = secp256k1.Point

/**
 * This signer's share of zero (functionality 3.4 of the paper): each pair of signers has a seed in common, of which both make the same scalar;
 * one adds it, the other subtracts it. `sid` names one presigning: in no other are these shares used.
 */
export function zeroShare(self: PartyIndex, seeds: ReadonlyMap<PartyIndex, Uint8Array>, sid: Uint8Array): bigint {
  let share = Fn.ZERO
  for (const [other, seed] of seeds) {
    const summand = askScalar('presigning/zero-sharing', sid, Math.min(self, other), Math.max(self, other), seed)
    share = self < other ? Fn.add(share, summand) : Fn.sub(share, summand)
  }
  return share
}
