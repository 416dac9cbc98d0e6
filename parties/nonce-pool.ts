import { randomBytes } from 'node:crypto'
import { OPENING_ID_BYTES } from '../domain/ceremony/opening.ts'
import type { Opened } from '../domain/threshold/protocol.ts'

/** Nonces that have been drawn and not been used: what was opened and has nothing to sign yet. */
export type HeldNonces = { readonly keyId: string; readonly epoch: number; readonly opened: Opened; readonly expiresAt: number }

/** What has become of a key's nonces; those that expired, were dropped or wiped count as expired. */
export type NonceCounts = { generated: number; consumed: number; expired: number }

export type NoncePoolOptions = {
  /** How long nonces are kept, in milliseconds. */
  ttlMs: number
  /** Most of one key beyond its tier: those of sessions that open without stock. */
  allowance?: number
  /** Most of all keys together. */
  maxHeld?: number
  now?: () => number
}

/** Nonces in memory, and nowhere else: a party that restarts has lost them all. Whatever leaves the pool unused is wiped. */
export interface NoncePool {
  readonly held: number
  /** Keeps what was opened. Of a key there are at most `tier` and the allowance; the oldest makes room. Those of earlier epochs of the key are gone from then on. */
  keep(nonces: Omit<HeldNonces, 'expiresAt'>, tier: number): { id: Uint8Array; expiresAt: number }
  /** Hands the nonces out to whoever asks first, whatever comes of it; undefined when they are taken, gone, or never were. The caller destroys them. */
  take(id: Uint8Array): HeldNonces | undefined
  drop(id: Uint8Array): void
  /** Drops all of a key, or of its epochs before one. */
  wipe(keyId: string, beforeEpoch?: number): void
  /** Since the party began, as long as not too many other keys have been used since. */
  counts(keyId: string): NonceCounts
  close(): void
}

const ALLOWANCE = 256
const MAX_HELD = 16_384
const MAX_COUNTED_KEYS = 4_096

export function createNoncePool({ ttlMs, allowance = ALLOWANCE, maxHeld = MAX_HELD, now = Date.now }: NoncePoolOptions): NoncePool {
  /** In the order in which they were drawn, which is that in which they expire. */
  const pool = new Map<string, HeldNonces>()
  const byKey = new Map<string, { epoch: number; ids: Set<string> }>()
  const counted = new Map<string, NonceCounts>()
  let expiry: NodeJS.Timeout | undefined

  const countsOf = (keyId: string): NonceCounts => {
    const counts = counted.get(keyId) ?? { generated: 0, consumed: 0, expired: 0 }
    counted.delete(keyId)
    counted.set(keyId, counts)
    if (counted.size > MAX_COUNTED_KEYS) counted.delete(oldestOf(counted))
    return counts
  }
  const remove = (id: string): HeldNonces | undefined => {
    const nonces = pool.get(id)
    if (!nonces) return undefined
    pool.delete(id)
    const ids = byKey.get(nonces.keyId)?.ids
    ids?.delete(id)
    if (ids?.size === 0) byKey.delete(nonces.keyId)
    return nonces
  }
  const discard = (id: string) => {
    const nonces = remove(id)
    if (!nonces) return
    nonces.opened.destroy()
    countsOf(nonces.keyId).expired++
  }
  const wipe = (keyId: string, beforeEpoch = Number.POSITIVE_INFINITY) => {
    const ofKey = byKey.get(keyId)
    if (ofKey && ofKey.epoch < beforeEpoch) for (const id of [...ofKey.ids]) discard(id)
  }
  const expireLater = () => {
    clearTimeout(expiry)
    const [oldest] = pool.values()
    expiry = oldest && setTimeout(expire, Math.max(1, oldest.expiresAt - now())).unref()
  }
  const expire = () => {
    for (const [id, { expiresAt }] of pool) {
      if (expiresAt > now()) break
      discard(id)
    }
    expireLater()
  }

  return {
    get held() {
      return pool.size
    },

    keep(nonces, tier) {
      const { keyId, epoch } = nonces
      wipe(keyId, epoch)
      const id = new Uint8Array(randomBytes(OPENING_ID_BYTES))
      const expiresAt = now() + ttlMs
      const ofKey = byKey.get(keyId) ?? { epoch, ids: new Set() }
      ofKey.ids.add(hex(id))
      byKey.set(keyId, ofKey)
      pool.set(hex(id), { ...nonces, expiresAt })
      countsOf(keyId).generated++
      if (ofKey.ids.size > tier + allowance) discard(oldestOf(ofKey.ids))
      if (pool.size > maxHeld) discard(oldestOf(pool))
      if (pool.size === 1) expireLater()
      return { id, expiresAt }
    },

    take(id) {
      const nonces = remove(hex(id))
      if (!nonces) return undefined
      if (nonces.expiresAt <= now()) {
        nonces.opened.destroy()
        countsOf(nonces.keyId).expired++
        return undefined
      }
      countsOf(nonces.keyId).consumed++
      return nonces
    },

    drop: (id) => discard(hex(id)),
    wipe,
    counts: (keyId) => ({ ...(counted.get(keyId) ?? { generated: 0, consumed: 0, expired: 0 }) }),

    close() {
      clearTimeout(expiry)
      for (const id of [...pool.keys()]) discard(id)
    },
  }
}

const hex = (id: Uint8Array) => Buffer.from(id).toString('hex')

/** The first that was put in. */
function oldestOf(collection: ReadonlyMap<string, unknown> | ReadonlySet<string>): string {
  return collection.keys().next().value as string
}
