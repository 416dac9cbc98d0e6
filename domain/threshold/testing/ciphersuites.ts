import type { ed25519 } from '@noble/curves/ed25519.js'
import type { Ciphersuite } from '../frost/ciphersuite.ts'
import { ed25519Ciphersuite } from '../frost/ed25519.ts'
import { secp256k1TrCiphersuite } from '../frost/secp256k1-tr.ts'
import type { Scheme } from '../scheme.ts'

const CIPHERSUITES = { 'frost-ed25519': ed25519Ciphersuite, 'frost-secp256k1-tr': secp256k1TrCiphersuite }

/** A scheme's ciphersuite, for tests of both: the type of its points is left out, as if all were those of Ed25519. */
export const ciphersuiteOf = (scheme: Scheme) => CIPHERSUITES[scheme] as Ciphersuite<typeof ed25519.Point.BASE>
