import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { PartyIndex } from '../protocol.ts'
import type { PublicPackage } from '../shared-key/key-material.ts'
import { decodePoint, requirePrimeOrder, toAffine } from '../shared-key/key-suite.ts'
import type { Ciphersuite } from './ciphersuite.ts'

/** A signer's commitments to its two nonces. */
export type NonceCommitment<P> = { readonly hiding: P; readonly binding: P }

export function encodeNonceCommitment<P extends CurvePoint<bigint, P>>({ hiding, binding }: NonceCommitment<P>): Uint8Array {
  return concatBytes(hiding.toBytes(), binding.toBytes())
}

/** Throws on malformed bytes, and on elements outside the prime-order group. */
export function decodeNonceCommitment<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>, bytes: Uint8Array): NonceCommitment<P> {
  const hiding = decodePoint(suite, bytes.subarray(0, suite.elementBytes))
  const binding = decodePoint(suite, bytes.subarray(suite.elementBytes))
  return { hiding: requirePrimeOrder(hiding), binding: requirePrimeOrder(binding) }
}

/** What all signers of one signature compute alike: R as the verifier will see it, the challenge, and each signer's binding factor. */
export type GroupCommitment<P> = {
  readonly R: P
  /** Whether the nonces have to be negated to add up to R. */
  readonly negated: boolean
  readonly challenge: bigint
  readonly bindingFactors: ReadonlyMap<PartyIndex, bigint>
}

/** Sections 4.3 to 4.6 of RFC 9591. `commitments` are those of all signers. */
export function groupCommitment<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  { publicKey }: PublicPackage<P>,
  commitments: ReadonlyMap<PartyIndex, NonceCommitment<P>>,
  message: Uint8Array,
): GroupCommitment<P> {
  const { Point, hash, hashToScalar } = suite
  const identifier = (party: PartyIndex) => Point.Fn.toBytes(BigInt(party))
  const signers = [...commitments].sort(([a], [b]) => a - b)

  const encodedCommitments = concatBytes(
    ...signers.map(([party, commitment]) => concatBytes(identifier(party), encodeNonceCommitment(commitment))),
  )
  const prefix = concatBytes(publicKey.toBytes(), hash('msg', message), hash('com', encodedCommitments))
  const bindingFactors = new Map(signers.map(([party]) => [party, hashToScalar('rho', concatBytes(prefix, identifier(party)))]))

  const hidingSum = signers.reduce((sum, [, { hiding }]) => sum.add(hiding), Point.ZERO)
  const bindingSum = suite.linearCombination(
    signers.map(([, { binding }]) => binding),
    [...bindingFactors.values()],
  )
  const sum = toAffine(suite, hidingSum.add(bindingSum))[0]!
  const negated = !suite.isPublicForm(sum)
  const R = negated ? sum.negate() : sum
  return { R, negated, challenge: suite.challenge(R, publicKey, message), bindingFactors }
}
