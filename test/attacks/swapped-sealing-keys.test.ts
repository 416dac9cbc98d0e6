import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { hpkeSealing } from '../../adapters/hpke/sealing.ts'
import { softwareKey } from '../../adapters/identity/party-identity.ts'
import { signStatement } from '../../domain/ceremony/statements.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { type Generation, newGeneration, openAll, restate, tell } from './hostile-coordinator.ts'

const PARTIES = ['party-1', 'party-2', 'party-3']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.close())

const own = hpkeSealing(generateKeyPairSync('x25519').privateKey).generateKeyPair()
const forged = { type: 'refused', code: 'carrier_forged', culprits: [] } as const

/** A fresh key generation in which one party is about to be told everybody's first words. */
async function begun(): Promise<{ generation: Generation; spoken: Awaited<ReturnType<typeof openAll>> }> {
  const generation = newGeneration(PARTIES)
  return { generation, spoken: await openAll(system, generation) }
}

test('a coordinator that puts its own key in the place of a party’s is told no secret', async (t) => {
  for (const from of PARTIES) {
    const { generation, spoken } = await begun()
    const swap = restate(from, (statement) => ({ ...statement, sealingKey: own.publicKey }))
    t.like(await tell(system, generation, { to: 'party-1', round: 2 }, spoken, swap), forged)
  }
})

test('nor one that signs the swapped key itself, in its own name, with a key of its own, or with that of a party in its hands', async (t) => {
  const signers = [
    system.identities.coordinator,
    { id: 'party-2', ...softwareKey(generateKeyPairSync('ed25519').privateKey) },
    system.identities.party('party-3').identity,
    { ...system.identities.party('party-3').identity, id: 'party-2' },
  ]
  for (const signer of signers) {
    const { generation, spoken } = await begun()
    const swapped = { ...spoken.get('party-2')!.statement, sealingKey: own.publicKey }
    const statement = await signStatement(signer, { ...generation.attempt, round: 1 }, swapped)
    const reply = await tell(
      system,
      generation,
      { to: 'party-1', round: 2 },
      spoken,
      restate('party-2', () => statement),
    )
    t.like(reply, forged)
  }
})

test('a coordinator that plays all the others to a party is found out at the first word', async (t) => {
  const { generation, spoken } = await begun()
  const played = softwareKey(generateKeyPairSync('ed25519').privateKey)
  const statements = await Promise.all(
    ['party-2', 'party-3'].map(async (id) => {
      const { statement } = spoken.get(id)!
      const said = await signStatement({ id, ...played }, { ...generation.attempt, round: 1 }, { ...statement, sealingKey: own.publicKey })
      return [id, said] as const
    }),
  )
  const reply = await tell(system, generation, { to: 'party-1', round: 2 }, spoken, (heard) =>
    statements.reduce((each, [id, statement]) => restate(id, () => statement)(each), heard),
  )
  t.like(reply, forged)
})
