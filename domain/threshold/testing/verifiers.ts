/** Verifiers that share no code with the engines. */
import { createHash, createPublicKey, verify } from 'node:crypto'
import type { Scheme } from '../scheme.ts'

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
type Affine = { x: bigint; y: bigint } | undefined

export const VERIFIERS: Readonly<Record<Scheme, Verify>> = {
  'frost-ed25519': verifyEd25519,
  'frost-secp256k1-tr': verifyBip340,
  'dkls23-secp256k1': verifyEcdsa,
}

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')
const SPKI_SECP256K1 = Buffer.from('3036301006072a8648ce3d020106052b8104000a032200', 'hex')

/** OpenSSL's. */
function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

const p = 2n ** 256n - 2n ** 32n - 977n
const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const G: Affine = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
}

/** BIP-340 word by word, on affine coordinates. */
function verifyBip340(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const P = liftX(toInt(publicKey))
  const r = toInt(signature.subarray(0, 32))
  const s = toInt(signature.subarray(32))
  if (!P || r >= p || s >= n) return false
  const e = toInt(taggedHash('BIP0340/challenge', signature.subarray(0, 32), publicKey, message)) % n
  const R = add(multiply(G, s), multiply(P, n - e))
  return R !== undefined && R.y % 2n === 0n && R.x === r
}

/** SEC 1, section 4.1.4, with r and s in range and s in the lower half. */
function verifyEcdsa(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const r = toInt(signature.subarray(0, 32))
  const s = toInt(signature.subarray(32))
  if (publicKey.length !== 33 || digest.length !== 32 || signature.length !== 64 || r === 0n || r >= n || s === 0n || s > n / 2n)
    return false
  const even = liftX(toInt(publicKey.subarray(1)))
  if (!even) return false
  const Q = publicKey[0] === 2 ? even : { x: even.x, y: p - even.y }
  const inverse = invert(s, n)
  const R = add(multiply(G, mod(toInt(digest) * inverse, n)), multiply(Q, mod(r * inverse, n)))
  return R !== undefined && mod(R.x, n) === r
}

/** The compressed public key that a signature is by (SEC 1, section 4.1.6), as Ethereum's ecrecover finds it. */
export function recoverPublicKey(digest: Uint8Array, signature: Uint8Array, recoveryId: number): Uint8Array | undefined {
  const r = toInt(signature.subarray(0, 32))
  const even = liftX(recoveryId < 2 ? r : r + n)
  if (!even) return undefined
  const R = recoveryId % 2 === 0 ? even : { x: even.x, y: p - even.y }
  const inverse = invert(r, n)
  const Q = add(multiply(R, mod(toInt(signature.subarray(32)) * inverse, n)), multiply(G, mod(-toInt(digest) * inverse, n)))
  return Q && Buffer.from((Q.y % 2n === 0n ? '02' : '03') + Q.x.toString(16).padStart(64, '0'), 'hex')
}

/** OpenSSL's, of what is hashed with SHA-256. */
export function verifiesWithOpenSsl(publicKey: Uint8Array, payload: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_SECP256K1, publicKey]), format: 'der', type: 'spki' })
  return verify('sha256', payload, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

function liftX(x: bigint): Affine {
  if (x >= p) return undefined
  const c = (x ** 3n + 7n) % p
  const y = power(c, (p + 1n) / 4n)
  if ((y * y) % p !== c) return undefined
  return { x, y: y % 2n === 0n ? y : p - y }
}

function add(a: Affine, b: Affine): Affine {
  if (!a || !b) return a ?? b
  if (a.x === b.x && a.y !== b.y) return undefined
  const slope = a.x === b.x ? 3n * a.x * a.x * invert(2n * a.y) : (b.y - a.y) * invert(b.x - a.x)
  const x = mod(slope * slope - a.x - b.x)
  return { x, y: mod(slope * (a.x - x) - a.y) }
}

function multiply(point: Affine, scalar: bigint): Affine {
  let sum: Affine
  for (let doubled = point, rest = scalar; rest > 0n; rest >>= 1n, doubled = add(doubled, doubled)) if (rest & 1n) sum = add(sum, doubled)
  return sum
}

const mod = (a: bigint, modulus = p) => ((a % modulus) + modulus) % modulus
const toInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

function invert(a: bigint, modulus = p): bigint {
  let [r0, r1, t0, t1] = [modulus, mod(a, modulus), 0n, 1n]
  while (r1 > 0n) {
    const q = r0 / r1
    ;[r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1]
  }
  return mod(t0, modulus)
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % p)
    if (rest & 1n) result = (result * square) % p
  return result
}

function taggedHash(tag: string, ...parts: Uint8Array[]): Buffer {
  const prefix = createHash('sha256').update(tag).digest()
  const hash = createHash('sha256').update(prefix).update(prefix)
  for (const part of parts) hash.update(part)
  return hash.digest()
}
