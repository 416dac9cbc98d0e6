import { KeystoreRefused } from './refused.ts'

/** scrypt (RFC 7914): cost N (a power of two), block size r, parallelisation p. */
export type ScryptCost = { N: number; r: number; p: number }

/** What a keystore file says in the clear. `check` tells a wrong passphrase, and covers the rest of the header. */
export type Header = { cost: ScryptCost; salt: Buffer; check: Buffer }

const VERSION = 1
const SALT_BYTES = 32
const CHECK_BYTES = 32
/** More would let a forged header eat the memory or the time of whoever opens it. */
const MAX_COST: ScryptCost = { N: 2 ** 20, r: 16, p: 4 }

export function encodeHeader({ cost, salt, check }: Header): Buffer {
  const file = { version: VERSION, kdf: { name: 'scrypt', ...cost, salt: salt.toString('base64') }, check: check.toString('base64') }
  return Buffer.from(`${JSON.stringify(file, null, 2)}\n`)
}

/** @throws KeystoreRefused for anything that `encodeHeader` does not write */
export function decodeHeader(bytes: Buffer): Header {
  const { version, kdf, check } = parse(bytes)
  if (version !== VERSION) throw new KeystoreRefused('header_invalid', `keystore header: version ${VERSION} expected`)
  const { name, N, r, p, salt } = typeof kdf === 'object' && kdf !== null ? (kdf as { [field: string]: unknown }) : {}
  if (name !== 'scrypt' || !isCount(N, MAX_COST.N) || !isCount(r, MAX_COST.r) || !isCount(p, MAX_COST.p) || N < 2 || (N & (N - 1)) !== 0)
    throw new KeystoreRefused('header_invalid', 'keystore header: unknown key derivation')
  return { cost: { N, r, p }, salt: base64(salt, SALT_BYTES), check: base64(check, CHECK_BYTES) }
}

function parse(bytes: Buffer): { [field: string]: unknown } {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Falls through to the same refusal; the text of the file is not for error messages.
  }
  throw new KeystoreRefused('header_invalid', 'keystore header: not a JSON object')
}

const isCount = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max

function base64(value: unknown, length: number): Buffer {
  const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64')
  if (bytes.length !== length) throw new KeystoreRefused('header_invalid', 'keystore header: a field has the wrong length')
  return bytes
}
