import { concatBytes } from '@noble/hashes/utils.js'
import { type ByParty, ProtocolAbort, type Signature, type Transcript } from '../protocol.ts'
import { readEach, requireAgreement, requireParticipants } from '../rounds.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage } from '../shared-key/key-material.ts'
import { requireSigners } from '../shared-key/signers.ts'
import { decodeOpening } from './opening.ts'
import { rerandomise } from './re-randomisation.ts'
import { suite } from './suite.ts'
import { abscissa, verify } from './verification.ts'

const { Fn } = suite.Point
const HALF_ORDER = Fn.ORDER / 2n

/**
 * The end of protocol 3.6 of the paper: s = w / u, in the lower half, verified as any verifier would. Contributions are not committed to, so of
 * those that are well-formed it cannot be told whose is wrong.
 */
export function aggregate({ publicPackage, path, signers: asked, message, broadcasts, contributions }: Transcript): Signature {
  const { publicKey, ...threshold } = derive(suite, decodePublicPackage(suite, publicPackage), path).publicPackage
  const signers = requireSigners(asked, threshold)
  requireParticipants(broadcasts, signers)
  requireParticipants(contributions, signers)
  const [presignature] = readEach(broadcasts, 'invalid_message', decodeOpening).values()
  requireAgreement(broadcasts, broadcasts.get(signers[0]!)!, 'equivocation')

  const { u, w } = sumOf(contributions)
  const { R } = rerandomise(presignature!, { publicKey, path, signers, message })
  if (Fn.is0(u)) throw new ProtocolAbort('invalid_contribution', 'the contributions make no signature')
  const s = Fn.div(w, u)
  const isHigh = s > HALF_ORDER
  const signature = concatBytes(Fn.toBytes(abscissa(R)), Fn.toBytes(isHigh ? Fn.neg(s) : s))
  if (!verify(suite.encodePublic(publicKey), message, signature))
    throw new ProtocolAbort('invalid_contribution', 'the contributions do not add up to a signature')
  return { signature, recoveryId: recoveryIdOf(R.toAffine(), isHigh) }
}

/** Layout of a contribution: u_i (32) ‖ w_i (32). */
function sumOf(contributions: ByParty): { u: bigint; w: bigint } {
  const shares = readEach(contributions, 'invalid_contribution', (bytes) => ({
    u: Fn.fromBytes(bytes.subarray(0, Fn.BYTES)),
    w: Fn.fromBytes(bytes.subarray(Fn.BYTES)),
  }))
  const sum = { u: Fn.ZERO, w: Fn.ZERO }
  for (const { u, w } of shares.values()) {
    sum.u = Fn.add(sum.u, u)
    sum.w = Fn.add(sum.w, w)
  }
  return sum
}

/** Which of the points with this r the nonce is (SEC 1, section 4.1.6): 1 for an odd y, 2 for an x that was not below the order. */
function recoveryIdOf({ x, y }: { x: bigint; y: bigint }, negated: boolean): number {
  const isOdd = (y % 2n === 1n) !== negated
  return (isOdd ? 1 : 0) + (x >= Fn.ORDER ? 2 : 0)
}
