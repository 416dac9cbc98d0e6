import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import type { ThresholdProtocol } from '../protocol.ts'
import { derive } from '../shared-key/derivation.ts'
import { checkShare, decodePublicPackage } from '../shared-key/key-material.ts'
import { RECOVERY_ROUNDS, recovery } from '../shared-key/recovery.ts'
import { aggregate } from './aggregation.ts'
import type { Ciphersuite } from './ciphersuite.ts'
import { decodeNonceCommitment } from './group-commitment.ts'
import { JOINT_SHARING_ROUNDS } from './joint-sharing.ts'
import { keyGeneration } from './key-generation.ts'
import { refresh } from './refresh.ts'
import { open } from './signing.ts'

/** FROST (RFC 9591) with distributed key generation, refresh, recovery and derivation, for one ciphersuite. */
export function frost<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>): ThresholdProtocol {
  const keyAt = (publicPackage: Uint8Array, path: readonly number[]) => {
    const { threshold, parties, publicKey } = derive(suite, decodePublicPackage(suite, publicPackage), path).publicPackage
    return { threshold, parties, publicKey: suite.encodePublic(publicKey) }
  }
  const isOpening = (broadcast: Uint8Array) => {
    try {
      decodeNonceCommitment(suite, broadcast)
      return true
    } catch {
      return false
    }
  }
  return {
    scheme: suite.scheme,
    rounds: { keyGeneration: JOINT_SHARING_ROUNDS, refresh: JOINT_SHARING_ROUNDS, recovery: RECOVERY_ROUNDS },
    keyGeneration: (options) => keyGeneration(suite, options),
    refresh: (options) => refresh(suite, options),
    recovery: (options) => recovery(suite, options),
    signing: { openedBy: 'each', open: (options) => open(suite, options) },
    isOpening,
    checkShare: (key) => checkShare(suite, key),
    message: suite.message,
    aggregate: (transcript) => aggregate(suite, transcript),
    verify: suite.verify,
    inspect: (publicPackage) => keyAt(publicPackage, []),
    derive: keyAt,
  }
}
