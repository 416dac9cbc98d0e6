import { concatBytes } from '@noble/hashes/utils.js'
import { type ByParty, type Opened, type PartyIndex, ProtocolAbort, type SigningTask } from '../protocol.ts'
import { equalBytes, requireAgreement, requireParticipants } from '../rounds.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage } from '../shared-key/key-material.ts'
import { requireSigners } from '../shared-key/signers.ts'
import { decodeShare } from './key-material.ts'
import { encodeOpening } from './opening.ts'
import { type Presignature, rerandomise } from './re-randomisation.ts'
import { suite } from './suite.ts'
import { abscissa, DIGEST_BYTES, digestScalar } from './verification.ts'

const { Fn } = suite.Point

/** What presigning leaves with one signer. Over all signers u adds up to r·phi, v to sk·phi, and phi to phi. */
export type Presigned = {
  readonly self: PartyIndex
  /** In ascending order. */
  readonly signers: readonly PartyIndex[]
  readonly packageDigest: Uint8Array
  readonly presignature: Presignature
  readonly u: Uint8Array
  readonly v: Uint8Array
  readonly phi: Uint8Array
}

/**
 * The last round of signing, protocol 3.6 of the paper, for the key at the path and with the nonce re-randomised, both by addition: as r becomes
 * r + delta and sk becomes sk + tweak, u_i becomes u_i + delta·phi_i and v_i becomes v_i + tweak·phi_i. The contribution is u_i ‖ w_i, where
 * w_i = m·phi_i + r_x·v_i; so s = w / u = (m + r_x·sk) / r.
 */
export function opened(presigned: Presigned): Opened {
  const broadcast = encodeOpening(presigned.presignature)
  let ended = false

  const destroy = () => {
    ended = true
    for (const secret of [presigned.u, presigned.v, presigned.phi]) secret.fill(0)
  }

  return {
    broadcast,
    destroy,
    contribute(task, broadcasts) {
      if (ended) throw new ProtocolAbort('out_of_order', 'a signer signs once')
      try {
        requireTask(presigned, task)
        requireSameView(presigned, broadcast, broadcasts)
        return contribution(presigned, task)
      } finally {
        destroy()
      }
    },
  }
}

/** @throws ProtocolAbort unless the task is for the key and the signers of the presignature */
function requireTask({ self, signers, packageDigest }: Presigned, { key, signers: asked, message }: SigningTask): void {
  const share = decodeShare(key)
  if (share.self !== self || !equalBytes(share.packageDigest, packageDigest))
    throw new ProtocolAbort('invalid_key', 'the signer was opened with another key')
  const sorted = requireSigners(asked, decodePublicPackage(suite, key.publicPackage))
  if (!equalBytes(Uint8Array.from(sorted), Uint8Array.from(signers)))
    throw new ProtocolAbort('invalid_parameters', 'the signers are not those that have opened together')
  if (message.length !== DIGEST_BYTES) throw new ProtocolAbort('invalid_parameters', `a digest has ${DIGEST_BYTES} bytes`)
}

/** @throws ProtocolAbort unless all signers have the same presignature, and this one's own words are unchanged */
function requireSameView({ self, signers }: Presigned, own: Uint8Array, broadcasts: ByParty): void {
  requireParticipants(broadcasts, signers)
  if (!equalBytes(broadcasts.get(self)!, own))
    throw new ProtocolAbort('message_altered', 'what this participant said has been altered on the way')
  requireAgreement(broadcasts, own, 'equivocation')
}

function contribution({ signers, presignature, u, v, phi }: Presigned, { key, path, message }: SigningTask): Uint8Array {
  const { publicPackage, share: derivedShare } = derive(suite, decodePublicPackage(suite, key.publicPackage), path)
  const tweak = derivedShare(Fn.ZERO)
  const { delta, R } = rerandomise(presignature, { publicKey: publicPackage.publicKey, path, signers, message })
  const mask = Fn.fromBytes(phi)
  const shareOfU = Fn.add(Fn.fromBytes(u), Fn.mul(delta, mask))
  const shareOfV = Fn.add(Fn.fromBytes(v), Fn.mul(tweak, mask))
  const shareOfW = Fn.add(Fn.mul(digestScalar(message), mask), Fn.mul(abscissa(R), shareOfV))
  return concatBytes(Fn.toBytes(shareOfU), Fn.toBytes(shareOfW))
}
