import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type Participant, ProtocolAbort, type RandomBytes, type Signer, type SigningKey, type SigningTask } from '../protocol.ts'
import { conduct, equalBytes, readEach } from '../rounds.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage, decodeShare } from '../shared-key/key-material.ts'
import { toAffine } from '../shared-key/key-suite.ts'
import { interpolatingValue } from '../shared-key/polynomial.ts'
import { requireSigners } from '../shared-key/signers.ts'
import { type Ciphersuite, nonceScalar } from './ciphersuite.ts'
import { decodeNonceCommitment, encodeNonceCommitment, groupCommitment } from './group-commitment.ts'

/**
 * One signer's side of RFC 9591, section 5. The opening is the pair of nonce commitments; the contribution is R, as the signer computed
 * it, and the signature share. Nonces are kept as bytes and zeroed as soon as they are used or the signer ends otherwise; the bigints they
 * become for a moment are left to the garbage collector, which JavaScript cannot hurry.
 */
export function signing<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  { key, rng }: { key: SigningKey; rng: RandomBytes },
): Signer {
  const { Point } = suite
  const { Fn } = Point
  const { self, scalar, packageDigest } = decodeShare(suite, key)
  const openedWith = packageDigest.slice()
  const hidingNonce = Fn.toBytes(nonceScalar(suite, scalar, rng))
  const bindingNonce = Fn.toBytes(nonceScalar(suite, scalar, rng))
  const [hiding, binding] = toAffine(suite, ...[hidingNonce, bindingNonce].map((nonce) => Point.BASE.multiply(Fn.fromBytes(nonce))))
  const own = { hiding: hiding!, binding: binding! }
  const opening = { broadcast: encodeNonceCommitment(own), secret: new Map() }
  let participant: Participant<Uint8Array> | undefined
  let ended = false

  const wipeNonces = () => {
    hidingNonce.fill(0)
    bindingNonce.fill(0)
  }
  const destroy = () => {
    ended = true
    wipeNonces()
    participant?.destroy()
  }

  const participate = (task: SigningTask): Participant<Uint8Array> => {
    const share = decodeShare(suite, task.key)
    if (share.self !== self || !equalBytes(share.packageDigest, openedWith))
      throw new ProtocolAbort('invalid_key', 'the signer was opened with another key')
    const { publicPackage, share: derivedShare } = derive(suite, decodePublicPackage(suite, task.key.publicPackage), task.path)
    const signers = requireSigners(task.signers, publicPackage)
    if (!signers.includes(self)) throw new ProtocolAbort('invalid_parameters', 'this participant is not among the signers')
    const message = task.message.slice()
    const signingShare = Fn.toBytes(derivedShare(Fn.fromBytes(share.scalar)))

    return conduct({
      self,
      participants: signers,
      opening,
      wipe: () => {
        signingShare.fill(0)
        wipeNonces()
      },
      stages: [
        {
          secretsFrom: [],
          hear: ({ broadcasts }) => {
            const commitments = readEach(broadcasts, 'invalid_message', (bytes, from) =>
              from === self ? own : decodeNonceCommitment(suite, bytes),
            )
            const { R, negated, challenge, bindingFactors } = groupCommitment(suite, publicPackage, commitments, message)
            const nonce = Fn.add(Fn.fromBytes(hidingNonce), Fn.mul(Fn.fromBytes(bindingNonce), bindingFactors.get(self)!))
            const weight = Fn.mul(interpolatingValue(Fn, signers, self), challenge)
            const signatureShare = Fn.add(negated ? Fn.neg(nonce) : nonce, Fn.mul(weight, Fn.fromBytes(signingShare)))
            return { kind: 'done', result: concatBytes(suite.encodePublic(R), Fn.toBytes(signatureShare)) }
          },
        },
      ],
    })
  }

  return {
    opening,
    destroy,
    assign(task) {
      if (ended || participant) throw new ProtocolAbort('out_of_order', 'a signer signs once')
      try {
        participant = participate(task)
      } catch (error) {
        destroy()
        throw error
      }
    },
    next(incoming) {
      if (!participant) throw new ProtocolAbort('out_of_order', 'the signer has nothing to sign')
      return participant.next(incoming)
    },
  }
}
