import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import type { ThresholdProtocol } from '../protocol.ts'
import { aggregate } from './aggregation.ts'
import type { Ciphersuite } from './ciphersuite.ts'
import { KEY_GENERATION_ROUNDS, keyGeneration } from './key-generation.ts'
import { checkShare, decodePublicPackage } from './key-material.ts'
import { signing } from './signing.ts'

/** FROST (RFC 9591) with distributed key generation, for one ciphersuite. */
export function frost<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>): ThresholdProtocol {
  return {
    scheme: suite.scheme,
    rounds: { keyGeneration: KEY_GENERATION_ROUNDS, signing: 2 },
    keyGeneration: (options) => keyGeneration(suite, options),
    signing: (options) => signing(suite, options),
    checkShare: (key) => checkShare(suite, key),
    message: suite.message,
    aggregate: (transcript) => aggregate(suite, transcript),
    verify: suite.verify,
    inspect(publicPackage) {
      const { threshold, parties, publicKey } = decodePublicPackage(suite, publicPackage)
      return { threshold, parties, publicKey: suite.encodePublic(publicKey) }
    },
  }
}
