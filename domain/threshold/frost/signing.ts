import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type ByParty, type Opened, ProtocolAbort, type RandomBytes, type SigningKey, type SigningTask } from '../protocol.ts'
import { equalBytes, readEach, requireParticipants } from '../rounds.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage, decodeShare } from '../shared-key/key-material.ts'
import { toAffine } from '../shared-key/key-suite.ts'
import { interpolatingValue } from '../shared-key/polynomial.ts'
import { requireSigners } from '../shared-key/signers.ts'
import { type Ciphersuite, nonceScalar } from './ciphersuite.ts'
import { decodeNonceCommitment, encodeNonceCommitment, groupCommitment } from './group-commitment.ts'

/**
 * One signer's side of RFC 9591, section 5. It broadcasts the pair of nonce commitments; its contribution is R, as it computed it, and the
 * signature share. Nonces are kept as bytes and zeroed as soon as they are used or the signer ends otherwise; the bigints they become for a
 * moment are left to the garbage collector, which JavaScript cannot hurry.
 */
export function open<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>, { key, rng }: { key: SigningKey; rng: RandomBytes }): Opened {
  const { Point } = suite
  const { Fn } = Point
  const { self, scalar, packageDigest } = decodeShare(suite, key)
  const openedWith = packageDigest.slice()
  const hidingNonce = Fn.toBytes(nonceScalar(suite, scalar, rng))
  const bindingNonce = Fn.toBytes(nonceScalar(suite, scalar, rng))
  const [hiding, binding] = toAffine(suite, ...[hidingNonce, bindingNonce].map((nonce) => Point.BASE.multiply(Fn.fromBytes(nonce))))
  const own = { hiding: hiding!, binding: binding! }
  const broadcast = encodeNonceCommitment(own)
  let ended = false

  const destroy = () => {
    ended = true
    hidingNonce.fill(0)
    bindingNonce.fill(0)
  }

  const contribution = (task: SigningTask, broadcasts: ByParty): Uint8Array => {
    const share = decodeShare(suite, task.key)
    if (share.self !== self || !equalBytes(share.packageDigest, openedWith))
      throw new ProtocolAbort('invalid_key', 'the signer was opened with another key')
    const { publicPackage, share: derivedShare } = derive(suite, decodePublicPackage(suite, task.key.publicPackage), task.path)
    const signers = requireSigners(task.signers, publicPackage)
    if (!signers.includes(self)) throw new ProtocolAbort('invalid_parameters', 'this participant is not among the signers')
    requireParticipants(broadcasts, signers)
    if (!equalBytes(broadcasts.get(self)!, broadcast))
      throw new ProtocolAbort('message_altered', 'what this participant said has been altered on the way')
    const commitments = readEach(broadcasts, 'invalid_message', (bytes, from) =>
      from === self ? own : decodeNonceCommitment(suite, bytes),
    )
    const { R, negated, challenge, bindingFactors } = groupCommitment(suite, publicPackage, commitments, task.message)
    const nonce = Fn.add(Fn.fromBytes(hidingNonce), Fn.mul(Fn.fromBytes(bindingNonce), bindingFactors.get(self)!))
    const weight = Fn.mul(interpolatingValue(Fn, signers, self), challenge)
    const signatureShare = Fn.add(negated ? Fn.neg(nonce) : nonce, Fn.mul(weight, derivedShare(Fn.fromBytes(share.scalar))))
    return concatBytes(suite.encodePublic(R), Fn.toBytes(signatureShare))
  }

  return {
    broadcast,
    destroy,
    contribute(task, broadcasts) {
      if (ended) throw new ProtocolAbort('out_of_order', 'a signer signs once')
      try {
        return contribution(task, broadcasts)
      } finally {
        destroy()
      }
    },
  }
}
