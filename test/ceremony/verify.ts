import { createPublicKey, verify } from 'node:crypto'
import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import type { Scheme } from '../../domain/threshold/scheme.ts'

type Verify = (publicKey: string, message: Uint8Array, signature: Uint8Array) => boolean

/** Any third party's: node's own Ed25519 and ECDSA, and BIP-340; the latter two over the SHA-256 of the message. */
const VERIFIERS: { readonly [S in Scheme]: Verify } = {
  'frost-ed25519': (publicKey, message, signature) => {
    const x = Buffer.from(publicKey, 'hex').toString('base64url')
    return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature)
  },
  'frost-secp256k1-tr': (publicKey, message, signature) => schnorr.verify(signature, sha256(message), hexToBytes(publicKey)),
  'dkls23-secp256k1': (publicKey, message, signature) => {
    const der = Buffer.from(`3036301006072a8648ce3d020106052b8104000a032200${publicKey}`, 'hex')
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
  },
}

export function isSignature(scheme: Scheme, publicKey: string, message: Uint8Array, signature: string | null): boolean {
  return signature !== null && VERIFIERS[scheme](publicKey, message, hexToBytes(signature))
}
