import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { ID_PATTERN } from '../../domain/ceremony/messages.ts'
import type { PartyKeys, Registry } from '../../domain/ports/identity.ts'

/** What stands in the registry file; keys are 64 hexadecimal digits in lower case. */
export type PartyEntry = { id: string; ed25519: string; x25519: string }
export type CoordinatorEntry = { id: string; ed25519: string }
export type RegistryEntries = { version: 1; parties: readonly PartyEntry[]; coordinators: readonly CoordinatorEntry[] }

/** The entries do not make a registry; the message says which of them, and why. */
export class InvalidEntries extends Error {
  override readonly name = 'InvalidEntries'
}

const MAX_ENTRIES = 256
const ED25519_PRIME = 2n ** 255n - 19n

export const partyEntry = (id: string, { signing, sealing }: PartyKeys): PartyEntry => ({
  id,
  ed25519: bytesToHex(signing),
  x25519: bytesToHex(sealing),
})

export const coordinatorEntry = (id: string, signing: Uint8Array): CoordinatorEntry => ({ id, ed25519: bytesToHex(signing) })

/** @throws InvalidEntries */
export function readEntries(value: unknown): Registry {
  const { version, parties, coordinators } = object(value, 'the registry', ['version', 'parties', 'coordinators'])
  if (version !== 1) throw new InvalidEntries('version must be 1')
  const taken = new Set<unknown>()
  const unique = <T>(entry: T, at: string): T => {
    if (taken.has(entry)) throw new InvalidEntries(`${at} stands there twice`)
    taken.add(entry)
    return entry
  }
  const key = (entry: { [name: string]: unknown }, type: keyof typeof CHECKS, at: string) =>
    readKey(unique(entry[type], `${at}.${type}`), type, `${at}.${type}`)
  const idOf = (entry: { [name: string]: unknown }, at: string) => readId(unique(entry.id, `${at}.id`), `${at}.id`)

  return {
    parties: new Map(
      list(parties, 'parties').map((value, index) => {
        const at = `parties[${index}]`
        const entry = object(value, at, ['id', 'ed25519', 'x25519'])
        return [idOf(entry, at), { signing: key(entry, 'ed25519', at), sealing: key(entry, 'x25519', at) }]
      }),
    ),
    coordinators: new Map(
      list(coordinators, 'coordinators').map((value, index) => {
        const at = `coordinators[${index}]`
        const entry = object(value, at, ['id', 'ed25519'])
        return [idOf(entry, at), key(entry, 'ed25519', at)]
      }),
    ),
  }
}

const CHECKS = { ed25519: isSigningKey, x25519: isSealingKey }

function readKey(value: unknown, type: keyof typeof CHECKS, at: string): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw new InvalidEntries(`${at} must be 64 hexadecimal digits in lower case`)
  const bytes = hexToBytes(value)
  if (!CHECKS[type](bytes)) throw new InvalidEntries(`${at} is not a sound public key`)
  return bytes
}

/** Canonical, and in the group of prime order: for a key of small order signatures can be made by anybody. */
function isSigningKey(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes)
    return !point.is0() && point.isTorsionFree()
  } catch {
    return false
  }
}

/** Canonical, and not of small order: with such a key everybody has the same shared secret (RFC 7748, §6.1). */
function isSealingKey(bytes: Uint8Array): boolean {
  try {
    if (BigInt(`0x${bytesToHex(bytes.toReversed())}`) >= ED25519_PRIME) return false
    x25519.getSharedSecret(new Uint8Array(32).fill(1), bytes)
    return true
  } catch {
    return false
  }
}

function readId(value: unknown, at: string): string {
  if (typeof value !== 'string' || !ID_PATTERN.test(value))
    throw new InvalidEntries(`${at} must be 1 to 64 letters, digits, hyphens or underscores`)
  return value
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value) || value.length > MAX_ENTRIES) throw new InvalidEntries(`${at} must be a list of at most ${MAX_ENTRIES}`)
  return value
}

function object(value: unknown, at: string, names: readonly string[]): { [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== [...names].sort().join())
    throw new InvalidEntries(`${at} must have exactly ${names.join(', ')}`)
  return value as { [name: string]: unknown }
}
