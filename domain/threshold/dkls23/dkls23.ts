import { sha256 } from '@noble/hashes/sha2.js'
import type { ThresholdProtocol } from '../protocol.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage } from '../shared-key/key-material.ts'
import { RECOVERY_ROUNDS } from '../shared-key/recovery.ts'
import { aggregate } from './aggregation.ts'
import { JOINT_SHARING_ROUNDS } from './joint-sharing.ts'
import { keyGeneration } from './key-generation.ts'
import { checkShare, withoutCounterparty } from './key-material.ts'
import { decodeOpening } from './opening.ts'
import { PRESIGNING_ROUNDS, presign } from './presigning.ts'
import { recovery } from './recovery.ts'
import { refresh } from './refresh.ts'
import { suite } from './suite.ts'
import { verify } from './verification.ts'

/**
 * Threshold ECDSA on secp256k1 in three rounds (Doerner, Kondi, Lee and shelat, "Threshold ECDSA in Three Rounds", ePrint 2023/765), with refresh,
 * recovery and derivation. docs/protocols/dkls23.md says how.
 */
export const dkls23: ThresholdProtocol = {
  scheme: suite.scheme,
  rounds: { keyGeneration: JOINT_SHARING_ROUNDS, refresh: JOINT_SHARING_ROUNDS, recovery: RECOVERY_ROUNDS },
  signing: { openedBy: 'all', rounds: PRESIGNING_ROUNDS, open: presign },
  keyGeneration,
  refresh,
  recovery,
  isOpening,
  checkShare,
  withoutCounterparty,
  message: (payload) => sha256(payload),
  aggregate,
  verify,
  inspect: (publicPackage) => keyAt(publicPackage, []),
  derive: keyAt,
}

function keyAt(publicPackage: Uint8Array, path: readonly number[]) {
  const { threshold, parties, publicKey } = derive(suite, decodePublicPackage(suite, publicPackage), path).publicPackage
  return { threshold, parties, publicKey: suite.encodePublic(publicKey) }
}

function isOpening(broadcast: Uint8Array): boolean {
  try {
    decodeOpening(broadcast)
    return true
  } catch {
    return false
  }
}
