import type { ed25519 } from '@noble/curves/ed25519.js'
import type { Ciphersuite } from '../frost/ciphersuite.ts'
import { ed25519Ciphersuite } from '../frost/ed25519.ts'
import { secp256k1TrCiphersuite } from '../frost/secp256k1-tr.ts'

const CIPHERSUITES = { 'frost-ed25519': ed25519Ciphersuite, 'frost-secp256k1-tr': secp256k1TrCiphersuite }

export type FrostScheme = keyof typeof CIPHERSUITES

/** The schemes that FROST makes the signatures of. */
export const FROST_SCHEMES = Object.keys(CIPHERSUITES) as readonly FrostScheme[]

/** A scheme's ciphersuite, for tests of both: the type of its points is left out, as if all were those of Ed25519. */
export const ciphersuiteOf = (scheme: FrostScheme) => CIPHERSUITES[scheme] as Ciphersuite<typeof ed25519.Point.BASE>
