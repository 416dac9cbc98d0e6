import test from 'ava'
import { encodeRequest } from '../../adapters/nats/ceremony-codec.ts'
import type { CeremonyReply, Header, Heard } from '../../domain/ceremony/messages.ts'
import { signStatement } from '../../domain/ceremony/statements.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { newGeneration, openAll, restate, tell, tellAll } from './hostile-coordinator.ts'
import { send, signed } from './raw-request.ts'

const VICTIM = 'party-1'
const PARTIES = [VICTIM, 'party-2', 'party-3']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.close())

const refused = (code: string) => ({ type: 'refused', code }) as const

test.serial('a request that ends too early, wherever, is refused', async (t) => {
  const generation = newGeneration(PARTIES)
  const header: Header = { ...generation.attempt, round: 1, from: 'coordinator', to: VICTIM }
  const content = encodeRequest({ type: 'generateKey', key: generation.key })
  const whole = await signed(system.identities.coordinator, header, content)
  for (let length = 0; length < whole.length; length += 7) {
    const { reply, isSigned } = await send(system, VICTIM, whole.subarray(0, length))
    t.like(reply, refused('malformed'))
    t.true(isSigned)
  }
  for (let length = 0; length < content.length; length += 7) {
    const { reply } = await send(system, VICTIM, await signed(system.identities.coordinator, header, content.subarray(0, length)))
    t.like(reply, refused('malformed'))
  }
  // Signed anew, since a busy machine may have taken longer for all of these than a request is good for.
  const again = await signed(system.identities.coordinator, header, content)
  t.like((await send(system, VICTIM, again)).reply, { type: 'said' })
})

test.serial('words that were shortened on the way are the carrier’s; those that their party has signed are its own', async (t) => {
  const carried = newGeneration(PARTIES)
  const cut = await tell(
    system,
    carried,
    { to: VICTIM, round: 2 },
    await openAll(system, carried),
    restate('party-2', (statement) => ({ ...statement, broadcast: statement.broadcast.slice(0, -1) })),
  )
  t.like(cut, { type: 'refused', code: 'carrier_forged', culprits: [] })

  const generation = newGeneration(PARTIES)
  const spoken = await openAll(system, generation)
  const { statement } = spoken.get('party-2')!
  const { identity } = system.identities.party('party-2')
  const short = await signStatement(
    identity,
    { ...generation.attempt, round: 1 },
    { ...statement, broadcast: statement.broadcast.slice(0, -1) },
  )
  t.like(
    await tell(
      system,
      generation,
      { to: VICTIM, round: 2 },
      spoken,
      restate('party-2', () => short),
    ),
    { type: 'refused', code: 'protocol_abort', culprits: ['party-2'] },
  )
})

test.serial('what somebody has said cannot be left out, or said by somebody twice', async (t) => {
  const changes: ((heard: Heard) => Heard)[] = [
    (heard) => ({ ...heard, statements: heard.statements.slice(1) }),
    (heard) => ({ ...heard, statements: heard.statements.slice(0, -1) }),
    (heard) => ({ ...heard, statements: [] }),
    (heard) => ({ ...heard, statements: [...heard.statements, heard.statements[1]!] }),
    (heard) => ({ ...heard, secrets: heard.secrets.slice(1) }),
    (heard) => ({ ...heard, secrets: [] }),
    (heard) => ({ ...heard, secrets: [...heard.secrets, heard.secrets[0]!] }),
  ]
  for (const change of changes) {
    const generation = newGeneration(PARTIES)
    const spoken = await tellAll(system, generation, 2, await openAll(system, generation))
    const reply: CeremonyReply = await tell(system, generation, { to: VICTIM, round: 3 }, spoken, change)
    t.true(reply.type === 'refused' && ['malformed', 'protocol_abort', 'carrier_forged'].includes(reply.code), JSON.stringify(reply))
    t.like(reply, { culprits: [] })
  }
})

test.serial('rounds are worked on in order only; the order within a round means nothing', async (t) => {
  const generation = newGeneration(PARTIES)
  const first = await openAll(system, generation)
  t.like(await tell(system, generation, { to: VICTIM, round: 3 }, first), refused('round_out_of_order'))
  t.like(await tell(system, generation, { to: VICTIM, round: 1 }, first), refused('conflicting_request'))
  const reversed = new Map([...first].reverse())
  const second = await tellAll(system, generation, 2, reversed)
  t.like(await tell(system, generation, { to: VICTIM, round: 2 }, first), refused('conflicting_request'))
  t.like(await tell(system, generation, { to: VICTIM, round: 4 }, second), refused('round_out_of_order'))
  const third = await tellAll(system, generation, 3, new Map([...second].reverse()))
  for (const to of PARTIES) t.like(await tell(system, generation, { to, round: 4 }, third), { type: 'generated' })
})
