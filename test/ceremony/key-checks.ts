import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { until } from '../crash/condition.ts'
import type { TestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const WITHIN_MS = 20_000
const message = new TextEncoder().encode('pay nobody')

/** What a party keeps of a key, by name. */
export async function filesOf(system: TestSystem, partyId: string, keyId: string): Promise<string[]> {
  return (await readdir(join(system.party(partyId).dir, 'shares', keyId)).catch(() => [])).toSorted()
}

/** Resolves when every holder keeps the share in force and nothing else. */
export const onlyInForce = (system: TestSystem, { epoch, attempt, ...key }: ExistingKeyShare): Promise<void> =>
  onlyKept(system, key, `epoch-${epoch}-attempt-${attempt}.json`)

/** Resolves when every holder has destroyed its shares. */
export const onlyRevoked = (system: TestSystem, key: ExistingKeyShare): Promise<void> => onlyKept(system, key, 'revoked')

async function onlyKept(
  system: TestSystem,
  { keyId, parties }: Pick<ExistingKeyShare, 'keyId' | 'parties'>,
  wanted: string,
): Promise<void> {
  let kept: string[][] = []
  await until(
    async () => {
      kept = await Promise.all(parties.map((id) => filesOf(system, id, keyId)))
      return kept.every((files) => files.length === 1 && files[0] === wanted)
    },
    () => `parties keep ${JSON.stringify(kept)} and not ${wanted}`,
    WITHIN_MS,
  )
}

/** The disk of a party is lost, and the party comes back without what was on it. */
export async function loseShares(system: TestSystem, partyId: string): Promise<void> {
  const party = system.party(partyId)
  await party.kill()
  await rm(join(party.dir, 'shares'), { recursive: true })
  await party.revive()
}

/** Every quorum that lacks one of the holders signs with the key. */
export async function everyQuorumSigns(t: ExecutionContext, system: TestSystem, key: ExistingKeyShare): Promise<void> {
  for (const absent of key.parties) {
    await system.party(absent).kill()
    const session = await system.sign(key, message)
    t.true(isSignature(key.scheme, key.publicKey!, message, session.signature), `without ${absent}: ${JSON.stringify(session.failure)}`)
    t.false(session.signers.includes(absent))
    await system.party(absent).revive()
  }
}
