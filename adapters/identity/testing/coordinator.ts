import { generateKeyPairSync } from 'node:crypto'
import type { Witness } from '../../../domain/ceremony/sayings.ts'
import type { Identity } from '../../../domain/ports/identity.ts'
import { softwareKey } from '../party-identity.ts'
import { verifyIdentity } from '../verify.ts'

/** Somebody with an Ed25519 key that nobody else has. */
export const newIdentity = (id: string): Identity => ({ id, ...softwareKey(generateKeyPairSync('ed25519').privateKey) })

/** A coordinator, and who knows it and nobody else. */
export function enrolCoordinator(id = 'coordinator'): { identity: Identity; witness: Witness } {
  const identity = newIdentity(id)
  return {
    identity,
    witness: { registry: { parties: new Map(), coordinators: new Map([[id, identity.publicKey]]) }, verify: verifyIdentity },
  }
}
