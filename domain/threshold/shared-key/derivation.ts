import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { isDerivationPath } from '../derivation-path.ts'
import { ProtocolAbort } from '../protocol.ts'
import type { PublicPackage } from './key-material.ts'
import { type KeySuite, toAffine } from './key-suite.ts'
import { publicForm } from './public-form.ts'

/** The key at a path: its public package, and what each share of the root becomes there. */
export type DerivedKey<P> = { readonly publicPackage: PublicPackage<P>; readonly share: (rootShare: bigint) => bigint }

/**
 * Derives a child, its child, and so on, as the ciphersuite's `childTweak` says, from the stored key as it is. The last one is brought into
 * public form, so that with secp256k1 the key at m/0/5 is the output key of BIP-86's tr(xpub/0/5), where xpub holds the stored key (its y is
 * even) and the chain code. Tweaks are public. As the Lagrange coefficients add up to one, each share takes the whole tweak.
 *
 * Whoever knows the chain code and the secret of any child knows the secret of the root. Here nobody ever does: children are shared like
 * the root, and are signed with by shares derived for one signature.
 * @throws ProtocolAbort `invalid_parameters` for a path that cannot be or (with a chance of 2^-127 or less) has no key
 */
export function derive<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  root: PublicPackage<P>,
  path: readonly number[],
): DerivedKey<P> {
  if (!isDerivationPath(path)) throw new ProtocolAbort('invalid_parameters', 'no such derivation path')
  if (path.length === 0) return { publicPackage: root, share: (rootShare) => rootShare }
  try {
    return deriveAlong(suite, root, path)
  } catch {
    throw new ProtocolAbort('invalid_parameters', 'there is no key at this path')
  }
}

function deriveAlong<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, root: PublicPackage<P>, path: readonly number[]): DerivedKey<P> {
  const { Point } = suite
  let { publicKey, chainCode } = root
  let tweak = Point.Fn.ZERO
  for (const index of path) {
    const child = suite.childTweak(publicKey, chainCode, index)
    publicKey = requireKey(suite, publicKey.add(Point.BASE.multiplyUnsafe(child.tweak)))
    chainCode = child.chainCode
    tweak = Point.Fn.add(tweak, child.tweak)
  }
  const shift = publicKey.subtract(root.publicKey)
  const form = publicForm(suite, publicKey)
  return {
    publicPackage: {
      ...root,
      publicKey: requireKey(suite, form.element(publicKey)),
      chainCode,
      verifyingShare: (party) => form.element(root.verifyingShare(party).add(shift)),
    },
    share: (rootShare) => form.scalar(Point.Fn.add(rootShare, tweak)),
  }
}

function requireKey<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, publicKey: P): P {
  if (publicKey.is0()) throw new Error('the key is the identity')
  return toAffine(suite, publicKey)[0]!
}
