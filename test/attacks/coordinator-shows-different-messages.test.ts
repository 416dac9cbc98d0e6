import test from 'ava'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { newGeneration, open, openAll, restate, said, tell } from './hostile-coordinator.ts'

const PARTIES = ['party-1', 'party-2', 'party-3']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.close())

/** Honest parties that notice it cannot know who of the others, or whether the coordinator, has lied. */
const equivocation = { type: 'refused', code: 'protocol_abort', culprits: [] } as const
const reasonOf = (reply: CeremonyReply) => (reply.type === 'refused' ? reply.reason : '')

test.serial('a party that was made to speak twice, and whose two words went to different parties, stops the ceremony', async (t) => {
  const generation = newGeneration(PARTIES)
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
})

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
