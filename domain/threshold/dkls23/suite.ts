import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { KeySuite } from '../shared-key/key-suite.ts'
import { childTweak, linearCombination } from '../shared-key/secp256k1.ts'
import { askScalar } from './hashing.ts'

const { Point } = secp256k1
export type Element = typeof Point.BASE

/** Keys for ECDSA on secp256k1, as they are: elements are compressed everywhere (SEC 1, section 2.3.3), and derive as BIP-32 says. */
export const suite: KeySuite<Element> = {
  scheme: 'dkls23-secp256k1',
  Point,
  elementBytes: 33,
  publicBytes: 33,
  hashToScalar: (_, data) => askScalar('proof-of-knowledge', data),
  linearCombination,
  encodePublic: (point) => point.toBytes(),
  decodePublic: (bytes) => Point.fromBytes(bytes),
  isPublicForm: () => true,
  keyTweak: () => Point.Fn.ZERO,
  childTweak,
}
