import { readdir } from 'node:fs/promises'
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
export async function onlyInForce(system: TestSystem, { keyId, parties, epoch, attempt }: ExistingKeyShare): Promise<void> {
  const wanted = `epoch-${epoch}-attempt-${attempt}.json`
  const kept = async () => Promise.all(parties.map((id) => filesOf(system, id, keyId)))
  let last: string[][] = []
  await until(
    async () => {
      last = await kept()
      return last.every((files) => files.length === 1 && files[0] === wanted)
    },
    () => `parties keep ${JSON.stringify(last)} and not ${wanted}`,
    WITHIN_MS,
  )
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
