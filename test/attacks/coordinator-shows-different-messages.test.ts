import { randomUUID } from 'node:crypto'
import test from 'ava'
import { heardBy } from '../../commands/processes/rounds.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { Said } from '../../domain/ceremony/statements.ts'
import { askToSignTogether } from '../ceremony/by-hand.ts'
import { filesOf } from '../ceremony/key-checks.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { until } from '../crash/condition.ts'
import { ask, newGeneration, open, openAll, restate, said, tell } from './hostile-coordinator.ts'

const PARTIES = ['party-1', 'party-2', 'party-3']
/** Its signers speak in rounds to each other. */
const JOINT = 'dkls23-secp256k1'
const message = new TextEncoder().encode('pay nobody')

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.close())

/** Honest parties that notice it cannot know who of the others, or whether the coordinator, has lied. */
const equivocation = { type: 'refused', code: 'protocol_abort', culprits: [] } as const
const reasonOf = (reply: CeremonyReply) => (reply.type === 'refused' ? reply.reason : '')

for (const scheme of ['frost-ed25519', JOINT] as const)
  test.serial(
    `a party that was made to speak twice, and whose two words went to different parties, stops the ceremony, with ${scheme}`,
    async (t) => {
      const generation = newGeneration(PARTIES, { scheme })
      const first = await openAll(system, generation)
      // A restart forgets the ceremony: its second word is as good, and as well signed, as the first.
      await system.party('party-2').kill()
      await system.party('party-2').revive()
      const second = new Map([...first, ['party-2', await open(system, generation, 'party-2')] as const])
      t.notDeepEqual(second.get('party-2'), first.get('party-2'))

      const spoken = new Map([
        ['party-1', said(await tell(system, generation, { to: 'party-1', round: 2 }, first))],
        ['party-2', said(await tell(system, generation, { to: 'party-2', round: 2 }, second))],
        ['party-3', said(await tell(system, generation, { to: 'party-3', round: 2 }, second))],
      ])
      for (const to of PARTIES) {
        const reply = await tell(system, generation, { to, round: 3 }, spoken)
        t.like(reply, equivocation)
        t.regex(reasonOf(reply), /^equivocation/)
      }
    },
  )

/** What is asked, until the party has been let in by the others after a restart. */
async function untilLetIn(askIt: () => Promise<CeremonyReply>): Promise<CeremonyReply> {
  let reply: CeremonyReply | undefined
  await until(
    async () => {
      reply = await askIt()
      return reply.type !== 'refused' || reply.code !== 'busy'
    },
    () => 'the party is not let in',
    10_000,
  )
  return reply!
}

test.serial(
  'signers whose words of the first round differ by who hears them stop before they judge a multiplication: nobody is banned',
  async (t) => {
    const key = await system.generateKey(await system.createWallet(), { scheme: JOINT, threshold: 3, parties: PARTIES })
    const ceremonyId = randomUUID()
    const join = (to: string) => untilLetIn(() => askToSignTogether(system, key, to, { sessionId: ceremonyId, message, signers: PARTIES }))
    const hear = (round: number, to: string, spoken: ReadonlyMap<string, Said>) =>
      ask(system, { scheme: JOINT, kind: 'signing', ceremonyId, attempt: 1, round, to }, { type: 'proceed', heard: heardBy(to, spoken) })

    const first = new Map<string, Said>()
    for (const id of PARTIES) first.set(id, said(await join(id)))
    await system.party('party-2').kill()
    await system.party('party-2').revive()
    const second = new Map(first).set('party-2', said(await join('party-2')))
    t.notDeepEqual(second.get('party-2'), first.get('party-2'))

    const spoken = new Map<string, Said>()
    for (const to of PARTIES) spoken.set(to, said(await hear(2, to, to === 'party-1' ? first : second)))
    for (const to of PARTIES) {
      const reply = await hear(3, to, spoken)
      t.like(reply, equivocation)
      t.regex(reasonOf(reply), /^equivocation/)
      t.false((await filesOf(system, to, key.keyId)).some((file) => file.startsWith('banned-')))
    }
    const session = await system.sign(key, message)
    t.true(isSignature(JOINT, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
  },
)

test.serial('parties that were told different thresholds, or different company, go no further, and accuse nobody', async (t) => {
  for (const { threshold = 2, parties = PARTIES } of [{ threshold: 3 }, { threshold: 1 }, { parties: ['party-1', 'party-3', 'party-2'] }]) {
    const generation = newGeneration(PARTIES)
    const { ceremonyId } = generation.attempt
    const misled = newGeneration(parties, { ceremonyId, threshold })
    const spoken = new Map(
      await Promise.all(PARTIES.map(async (id) => [id, await open(system, id === 'party-1' ? misled : generation, id)] as const)),
    )
    for (const to of PARTIES) {
      const reply = await tell(system, generation, { to, round: 2 }, spoken)
      t.like(reply, equivocation)
      t.regex(reasonOf(reply), /^equivocation/)
    }
  }
})

test.serial('words changed on the way are the coordinator’s own, and convict no party', async (t) => {
  const generation = newGeneration(PARTIES)
  const spoken = await openAll(system, generation)
  const change = restate('party-2', (statement) => ({ ...statement, broadcast: spoken.get('party-3')!.statement.broadcast }))
  t.like(await tell(system, generation, { to: 'party-1', round: 2 }, spoken, change), {
    type: 'refused',
    code: 'carrier_forged',
    culprits: [],
  })
})
