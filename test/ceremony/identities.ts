import { join } from 'node:path'
import { openCoordinatorIdentity } from '../../adapters/identity/coordinator-identity.ts'
import { openPartyIdentity, type PartyIdentity } from '../../adapters/identity/party-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { openKeystore } from '../../adapters/keystore/vault.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { Vault } from '../../domain/ports/vault.ts'

/** Who belongs to a test system, with all of their keys in the hands of the test. */
export type TestIdentities = {
  witness: Witness
  coordinator: Identity
  party(id: string): PartyIdentity & { vault: Vault }
}

/** Guessing the passphrases of these keystores is no part of any test. */
const CHEAP = { N: 1024, r: 8, p: 1 }

/** Makes a vault and an identity for each party, in a folder of its own under `dir`, and registers them and a coordinator. */
export async function enrolTestParties(dir: string, ids: readonly string[], coordinatorId = 'coordinator'): Promise<TestIdentities> {
  const coordinator = await openCoordinatorIdentity({ id: coordinatorId, dataDir: dir })
  const enrolled = new Map(
    await Promise.all(
      ids.map(async (partyId) => {
        const vault = await openKeystore({ dir: join(dir, partyId, 'keystore'), passphrase: partyId, cost: CHEAP })
        return [partyId, { ...(await openPartyIdentity({ partyId, dir: join(dir, partyId), vault })), vault }] as const
      }),
    ),
  )
  const registry = {
    parties: new Map([...enrolled].map(([id, { keys }]) => [id, keys])),
    coordinators: new Map([[coordinator.id, coordinator.publicKey]]),
  }
  return { witness: { registry, verify: verifyIdentity }, coordinator, party: (id) => enrolled.get(id)! }
}
