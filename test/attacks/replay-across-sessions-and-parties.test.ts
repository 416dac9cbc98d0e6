import test from 'ava'
import { encodeRequest } from '../../adapters/nats/ceremony-codec.ts'
import type { CeremonyAttempt, Header, Heard } from '../../domain/ceremony/messages.ts'
import type { Said } from '../../domain/ceremony/statements.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { newGeneration, open, openAll, restate, said, tell, tellAll } from './hostile-coordinator.ts'
import { send, signed } from './raw-request.ts'

const VICTIM = 'party-1'
const OTHER = 'party-2'
const PARTIES = [VICTIM, OTHER, 'party-3']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.close())

const forged = { type: 'refused', code: 'carrier_forged', culprits: [] } as const

test.serial('what a party has said in another key generation, attempt, scheme or round is not taken for said here', async (t) => {
  const places: ((here: CeremonyAttempt) => Partial<CeremonyAttempt>)[] = [
    () => ({}),
    ({ ceremonyId }) => ({ ceremonyId, attempt: 2 }),
    ({ ceremonyId }) => ({ ceremonyId, scheme: 'frost-secp256k1-tr' }),
  ]
  for (const place of places) {
    const here = newGeneration(PARTIES)
    const spoken = await openAll(system, here)
    const replayed = await open(system, newGeneration(PARTIES, place(here.attempt)), OTHER)
    const reply = await tell(
      system,
      here,
      { to: VICTIM, round: 2 },
      spoken,
      restate(OTHER, () => replayed.statement),
    )
    t.like(reply, forged)
  }

  const here = newGeneration(PARTIES)
  const spoken = await openAll(system, here)
  const second = await tellAll(system, here, 2, spoken)
  const early = restate(OTHER, () => spoken.get(OTHER)!.statement)
  t.like(await tell(system, here, { to: VICTIM, round: 3 }, second, early), forged)
})

test.serial('what one party has said is not taken for said by another', async (t) => {
  const generation = newGeneration(PARTIES)
  const spoken = await openAll(system, generation)
  const reply = await tell(
    system,
    generation,
    { to: VICTIM, round: 2 },
    spoken,
    restate(OTHER, () => spoken.get('party-3')!.statement),
  )
  t.like(reply, forged)
})

test.serial('a secret from another key generation, for another party, or from another sender, is not taken', async (t) => {
  const secretFor = (to: string, from: Said) => {
    const { sealed, signature } = from.secrets.find((secret) => secret.to === to)!
    return { sealed, signature }
  }
  const there = newGeneration(PARTIES)
  const elsewhere = await tellAll(system, there, 2, await openAll(system, there))
  const swaps: ((spoken: ReadonlyMap<string, Said>) => { sealed: Uint8Array; signature: Uint8Array })[] = [
    () => secretFor(VICTIM, elsewhere.get(OTHER)!),
    (spoken) => secretFor('party-3', spoken.get(OTHER)!),
    (spoken) => secretFor(VICTIM, spoken.get('party-3')!),
  ]
  for (const swap of swaps) {
    const generation = newGeneration(PARTIES)
    const spoken = await tellAll(system, generation, 2, await openAll(system, generation))
    const change = (heard: Heard): Heard => ({
      ...heard,
      secrets: heard.secrets.map((secret) => (secret.from === OTHER ? { from: OTHER, ...swap(spoken) } : secret)),
    })
    t.like(await tell(system, generation, { to: VICTIM, round: 3 }, spoken, change), forged)
  }
})

test.serial(
  'a recorded request gets the same answer again, none from another party, and after a restart no second first word',
  async (t) => {
    const generation = newGeneration(PARTIES)
    const header: Header = { ...generation.attempt, round: 1, from: 'coordinator', to: VICTIM }
    const recorded = await signed(system.identities.coordinator, header, encodeRequest({ type: 'generateKey', key: generation.key }))
    const { reply } = await send(system, VICTIM, recorded)
    t.deepEqual((await send(system, VICTIM, recorded)).reply, reply)
    t.like((await send(system, OTHER, recorded)).reply, { type: 'refused', code: 'malformed' })

    const spoken = new Map([...(await openAll(system, generation)), [VICTIM, said(reply)]])
    await system.party(VICTIM).kill()
    await system.party(VICTIM).revive()
    const proceed = await tell(system, generation, { to: VICTIM, round: 2 }, spoken)
    t.like(proceed, { type: 'refused', code: 'unknown_ceremony' })
    // It takes part anew, but what it said before is not its word any more.
    const anew = await open(system, generation, VICTIM)
    t.notDeepEqual(anew, said(reply))
    const mixed = await tell(system, generation, { to: VICTIM, round: 2 }, spoken)
    t.like(mixed, { type: 'refused', code: 'protocol_abort', culprits: [] })
    t.regex(mixed.type === 'refused' ? mixed.reason : '', /^message_altered/)
  },
)
