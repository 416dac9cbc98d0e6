import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { decodeHeader, encodeHeader, type Header, type ScryptCost } from './header.ts'
import { KeystoreRefused } from './refused.ts'

const SALT_BYTES = 32
const KEY_BYTES = 32
/** About 128 MiB and a third of a second. */
export const STRONG: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

type Keys = { sealing: Buffer; check: Buffer }

/** A key of 32 bytes under a fresh salt, and the header that it takes to derive it again. Who asks for it wipes it. */
export async function newKey(passphrase: Uint8Array | string, cost: ScryptCost): Promise<{ header: Buffer; key: Buffer }> {
  const salt = randomBytes(SALT_BYTES)
  const { sealing, check } = await deriveKeys(passphrase, { cost, salt })
  return { header: encodeHeader({ cost, salt, check }), key: sealing }
}

/** The key of a header. @throws KeystoreRefused for a wrong passphrase or a damaged header */
export async function unlock(header: Buffer, passphrase: Uint8Array | string): Promise<Buffer> {
  const decoded = decodeHeader(header)
  const keys = await deriveKeys(passphrase, decoded)
  if (timingSafeEqual(keys.check, decoded.check)) return keys.sealing
  keys.sealing.fill(0)
  throw new KeystoreRefused('passphrase_wrong', 'the passphrase is not the one that this was sealed with')
}

const derive = promisify<string | Uint8Array, Uint8Array, number, object, Buffer>(scrypt)

/** `check` proves knowledge of the passphrase, bound to the cost and the salt, and tells nothing of the sealing key. */
async function deriveKeys(passphrase: Uint8Array | string, { cost, salt }: Pick<Header, 'cost' | 'salt'>): Promise<Keys> {
  const master = await derive(passphrase, salt, 2 * KEY_BYTES, { ...cost, maxmem: 2 * 128 * cost.N * cost.r })
  const sealing = Buffer.from(master.subarray(0, KEY_BYTES))
  const check = createHmac('sha256', master.subarray(KEY_BYTES))
    .update(encodeHeader({ cost, salt, check: Buffer.alloc(0) }))
    .digest()
  master.fill(0)
  return { sealing, check }
}
