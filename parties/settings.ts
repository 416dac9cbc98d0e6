import { join } from 'node:path'
import { ID_PATTERN } from '../domain/ceremony/messages.ts'

/** A setting of the party cannot be used; the message names the variable. */
export class InvalidPartySetting extends Error {
  override readonly name = 'InvalidPartySetting'
}

export type PartySettings = {
  partyId: string
  /** All that the party keeps. */
  dir: string
  /** The token that seals the shares, the only one of its module when no slot is named; undefined means SoftHSM when it is found, or else a keystore of software. */
  token: { modulePath: string; slot: number | undefined; pin: string } | undefined
  /** How long openings of signatures are kept in memory, in milliseconds. */
  presignatureTtlMs: number
}

const PRESIGNATURE_TTL_SECONDS = 3_600
const MAX_PRESIGNATURE_TTL_SECONDS = 86_400

/**
 * What only a party needs to be told.
 * @throws InvalidPartySetting
 */
export function partySettings(env: { readonly [name: string]: string | undefined }, dataDir: string): PartySettings {
  const text = (name: string) => env[name]?.trim() || undefined
  const partyId = text('QUORATE_PARTY_ID')
  if (!partyId || !ID_PATTERN.test(partyId))
    throw new InvalidPartySetting('QUORATE_PARTY_ID must be set to 1 to 64 letters, digits, hyphens or underscores')
  return { partyId, dir: join(dataDir, 'parties', partyId), token: tokenSettings(text), presignatureTtlMs: presignatureTtlMs(text) }
}

function tokenSettings(text: (name: string) => string | undefined): PartySettings['token'] {
  const modulePath = text('QUORATE_PKCS11_MODULE')
  if (modulePath === undefined) return undefined
  const pin = text('QUORATE_PKCS11_PIN')
  if (pin === undefined) throw new InvalidPartySetting('QUORATE_PKCS11_PIN must be set when QUORATE_PKCS11_MODULE is')
  const slot = text('QUORATE_PKCS11_SLOT')
  if (slot !== undefined && !/^\d{1,10}$/.test(slot))
    throw new InvalidPartySetting(`QUORATE_PKCS11_SLOT must be a whole number, not "${slot}"`)
  return { modulePath, slot: slot === undefined ? undefined : Number(slot), pin }
}

function presignatureTtlMs(text: (name: string) => string | undefined): number {
  const value = text('QUORATE_PRESIGNATURE_TTL_SECONDS') ?? String(PRESIGNATURE_TTL_SECONDS)
  const seconds = /^\d{1,5}$/.test(value) ? Number(value) : 0
  if (seconds < 1 || seconds > MAX_PRESIGNATURE_TTL_SECONDS)
    throw new InvalidPartySetting(`QUORATE_PRESIGNATURE_TTL_SECONDS must be between 1 and ${MAX_PRESIGNATURE_TTL_SECONDS}, not "${value}"`)
  return seconds * 1000
}
