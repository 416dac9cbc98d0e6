import type { PartyIndex } from '../protocol.ts'
import { toAffine } from '../shared-key/key-suite.ts'
import { askScalar } from './hashing.ts'
import { type Element, suite } from './suite.ts'

/** What signers have in common when they have presigned: R, and the digest of all they were told. */
export type Presignature = { readonly R: Element; readonly transcript: Uint8Array }

/**
 * The nonce that a presignature becomes for one message by one key: R + delta·G, where delta is a hash of all of it. Presignatures made ahead
 * and keys derived by addition do not go together otherwise (Groth and Shoup, "On the security of ECDSA with additive key derivation and
 * presignatures", ePrint 2021/1330, sections 4 and 6): whoever knew R could choose message and path to fit it.
 */
export function rerandomise(
  { R, transcript }: Presignature,
  {
    publicKey,
    path,
    signers,
    message,
  }: { publicKey: Element; path: readonly number[]; signers: readonly PartyIndex[]; message: Uint8Array },
): { delta: bigint; R: Element } {
  const delta = askScalar(
    'signing/re-randomisation',
    publicKey.toBytes(),
    path.length,
    ...path,
    signers.length,
    ...signers,
    R.toBytes(),
    transcript,
    message,
  )
  return { delta, R: toAffine(suite, R.add(suite.Point.BASE.multiplyUnsafe(delta)))[0]! }
}
