import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedNats } from '../adapters/embedded/nats/server.ts'
import { liftFence } from '../adapters/ledger/fence.ts'
import { openSigningLedger } from '../adapters/ledger/signing-ledger.ts'
import { openWitnessStore } from '../adapters/ledger/witness-store.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import type { SigningLedger } from '../domain/ports/signing-ledger.ts'
import type { SignedHead, WitnessStore } from '../domain/ports/witness-store.ts'
import { enrolTestParties, type TestIdentities } from '../test/ceremony/identities.ts'
import { newClaim } from '../test/contract/signing-ledger.ts'
import { until } from '../test/crash/condition.ts'
import { type Fence, raiseFence } from './fence.ts'
import { bearWitness } from './witness.ts'
import { encodeWitness, headSubject, questionSubject, signAnswer, signHead } from './witness-messages.ts'

const IDS = ['party-1', 'party-2', 'party-3']
const FIVE = [...IDS, 'party-4', 'party-5']

type Running = { ledger: SigningLedger; store: WitnessStore; fence: Fence; stop(): Promise<void> }

let identities: TestIdentities
let folder: string
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorate-fence-'))
  identities = await enrolTestParties(join(folder, 'identities'), FIVE)
})
test.after.always(() => rm(folder, { recursive: true, force: true }))

/** Parties that consist of a ledger, a fence and what they witness, each in a file of its own. */
async function neighbourhood(t: ExecutionContext, ids: readonly string[] = IDS) {
  const dir = await mkdtemp(join(folder, 'ledgers-'))
  const nats = await startEmbeddedNats({ port: 0 })
  const running = new Set<Running>()
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const fileOf = (id: string) => join(dir, `${id}.db`)
  const outsider = await connectMessages({ url: nats.url, name: 'outsider' })

  async function start(id: string, { file = fileOf(id), identity = identities.party(id).identity } = {}): Promise<Running> {
    const messages = await connectMessages({ url: nats.url, name: id, onHandlerError: onFailure })
    const ledger = openSigningLedger({ file })
    const store = openWitnessStore({ file })
    const { registry, verify } = identities.witness
    const parties = new Map(ids.map((each) => [each, registry.parties.get(each)!]))
    const options = { identity, registry: { ...registry, parties }, verify, messages, store, ledger, onFailure }
    const stopWitness = bearWitness(options)
    const fence = raiseFence(options)
    const party: Running = {
      ledger,
      store,
      fence,
      async stop() {
        running.delete(party)
        await fence.close()
        await stopWitness()
        await messages.close()
        await ledger.close()
        store.close()
      },
    }
    running.add(party)
    return party
  }

  t.teardown(async () => {
    for (const party of [...running]) await party.stop()
    await outsider.close()
    await nats.close()
    if (failures.length > 0) throw new AggregateError(failures, String(failures[0]))
  })
  return { start, fileOf, outsider, startAll: () => Promise.all(ids.map((id) => start(id))) }
}

const stateOf = ({ fence }: Running): string => {
  try {
    fence.assertLifted()
    return 'lifted'
  } catch (error) {
    return (error as { code: string }).code
  }
}
/** Before those that are cleared already would ask again. */
const SOONER_MS = 4_500
const reaches = (party: Running, state: string, withinMs = 20_000) =>
  until(
    () => stateOf(party) === state,
    () => `the fence is ${stateOf(party)}, not ${state}`,
    withinMs,
  )
const witnesses = (by: Running, of: string, sequence: bigint) =>
  until(
    () => by.store.witnessed(of)?.sequence === sequence,
    () => `${by.store.witnessed(of)?.sequence} is witnessed of ${of}`,
    20_000,
  )
const sign = async ({ ledger }: Running, times = 1) => {
  for (let n = 0; n < times; n++) await ledger.claim(newClaim())
}

for (const ids of [IDS, FIVE])
  test(`${ids.length} parties that all start at once clear each other`, async (t) => {
    const { startAll } = await neighbourhood(t, ids)
    const parties = await startAll()
    await Promise.all(parties.map((party) => reaches(party, 'lifted', SOONER_MS)))
    t.false(parties.some(({ fence }) => fence.isUp))
  })

test('a party that is the only one has nobody to ask', async (t) => {
  const { start } = await neighbourhood(t, ['party-1'])
  t.is(stateOf(await start('party-1')), 'lifted')
})

test('of three parties, one that never comes back keeps nobody from signing', async (t) => {
  const { start } = await neighbourhood(t)
  const first = await start('party-1')
  t.is(stateOf(first), 'busy')
  await start('party-2')
  await reaches(first, 'lifted')
  t.pass()
})

test('of five parties, one alone clears nobody, and two that never come back keep nobody from signing', async (t) => {
  const { start, outsider } = await neighbourhood(t, FIVE)
  let asked = 0
  t.teardown(
    outsider.serve(questionSubject('party-2'), async (payload) => {
      const question = JSON.parse(Buffer.from(payload).toString())
      asked++
      const { identity } = identities.party('party-2')
      return encodeWitness(await signAnswer(identity, { ...question, challenge: Buffer.from(question.challenge, 'hex') }, null))
    }),
  )
  let others = 0
  t.teardown(outsider.subscribe(questionSubject('party-4'), () => others++))
  const first = await start('party-1')
  await until(
    () => asked > 0 && others >= asked + 2,
    () => `one was asked ${asked} times, another ${others} times`,
    10_000,
  )
  t.is(stateOf(first), 'busy')
  await start('party-3')
  await reaches(first, 'lifted', SOONER_MS)
})

test('what a party has signed is witnessed by the others, durably', async (t) => {
  const { startAll, fileOf } = await neighbourhood(t)
  const [first, second, third] = (await startAll()) as [Running, Running, Running]
  await reaches(first, 'lifted')
  await sign(first, 3)
  await witnesses(second, 'party-1', 3n)
  await witnesses(third, 'party-1', 3n)
  await second.stop()
  const kept = openWitnessStore({ file: fileOf('party-2') })
  t.deepEqual(kept.witnessed('party-1')?.hash, first.ledger.head().hash)
  kept.close()
})

test('a crash fences nobody, whatever was said of the last claims', async (t) => {
  const { startAll, start } = await neighbourhood(t)
  const [first, second] = (await startAll()) as [Running, Running, Running]
  await reaches(first, 'lifted')
  await sign(first)
  await witnesses(second, 'party-1', 1n)
  // Durable, and the process is gone before anybody has heard of it.
  await sign(first, 2)
  await first.stop()
  t.true((second.store.witnessed('party-1')?.sequence ?? 0n) <= 3n)
  const again = await start('party-1')
  await reaches(again, 'lifted')
  await witnesses(second, 'party-1', 3n)
  await again.stop()
  const once = await start('party-1')
  await reaches(once, 'lifted')
  t.false(once.fence.isUp)
})

/** A store of party-1 as it was after one claim, while the others have witnessed three. */
async function olderCopy(t: ExecutionContext) {
  const all = await neighbourhood(t)
  const [first, second, third] = (await all.startAll()) as [Running, Running, Running]
  await reaches(first, 'lifted')
  await sign(first)
  await first.stop()
  const copy = `${all.fileOf('party-1')}.copy`
  await cp(all.fileOf('party-1'), copy)
  const later = await all.start('party-1')
  await reaches(later, 'lifted')
  await sign(later, 2)
  for (const party of [second, third]) await witnesses(party, 'party-1', 3n)
  return { ...all, copy, second, third, later }
}

test('an older copy of a store is fenced, stays so, and an operator lifts it while the party runs', async (t) => {
  const { start, copy, later, second } = await olderCopy(t)
  await later.stop()
  const restored = await start('party-1', { file: copy })
  await reaches(restored, 'fenced')
  await restored.stop()
  await second.stop()
  const again = await start('party-1', { file: copy })
  t.is(stateOf(again), 'fenced', 'known from its own store, whoever answers')
  const lifted = liftFence(copy, { by: 'operator', reason: 'the disk burned' })
  await reaches(again, 'lifted')
  t.is(lifted?.sequence, 4n)
  await sign(again)
  await again.stop()
  await start('party-2')
  const once = await start('party-1', { file: copy })
  await reaches(once, 'lifted')
  t.is(once.ledger.head().sequence, 5n)
  t.is(liftFence(copy, { by: 'operator', reason: 'again' }), undefined)
})

test('what an operator has settled is not held against the party again, and what he was not told is', async (t) => {
  const { start, copy, later, second, outsider } = await olderCopy(t)
  const witnessed = second.store.witnessed('party-1')!
  const unknown = await signHead(identities.party('party-1').identity, { sequence: 9n, hash: new Uint8Array(32) })
  await later.stop()
  // It has gone on by itself, from the first claim to the sixth; the others have seen another third one.
  const ledger = openSigningLedger({ file: copy })
  for (let n = 0; n < 5; n++) await ledger.claim(newClaim())
  await ledger.close()
  const forked = await start('party-1', { file: copy })
  await reaches(forked, 'fenced')
  t.is(liftFence(copy, { by: 'operator', reason: 'the disk burned' })?.sequence, 7n)
  await reaches(forked, 'lifted')
  const say = (head: SignedHead) => outsider.publish(headSubject('party-1'), encodeWitness({ type: 'head', ...head }))
  say(witnessed)
  await outsider.ping()
  await sign(forked, 3)
  await witnesses(second, 'party-1', 10n)
  t.is(stateOf(forked), 'lifted')
  say(unknown)
  await reaches(forked, 'fenced')
})

test('an empty store of a party that has signed is fenced', async (t) => {
  const { start, later, copy } = await olderCopy(t)
  await later.stop()
  await reaches(await start('party-1', { file: `${copy}.other` }), 'fenced')
  t.pass()
})

test('a store that has gone another way is fenced, behind, level or ahead', async (t) => {
  const { start, copy, later } = await olderCopy(t)
  await later.stop()
  for (const claims of [2, 5]) {
    const file = `${copy}.${claims}`
    await cp(copy, file)
    const ledger = openSigningLedger({ file })
    for (let n = 0; n < claims; n++) await ledger.claim(newClaim())
    await ledger.close()
    const forked = await start('party-1', { file })
    await reaches(forked, 'fenced')
    await forked.stop()
  }
  t.pass()
})

test('a peer that was away when others answered still fences', async (t) => {
  const { start, copy, later, second, third } = await olderCopy(t)
  await later.stop()
  await third.stop()
  await second.stop()
  await start('party-2', { file: `${copy}.blank` })
  const restored = await start('party-1', { file: copy })
  await reaches(restored, 'lifted')
  await start('party-3')
  await reaches(restored, 'fenced')
  t.pass()
})

test('of two processes with one identity one is fenced when it hears of the other', async (t) => {
  const { startAll, start, fileOf } = await neighbourhood(t)
  const [first, second] = (await startAll()) as [Running, Running, Running]
  await reaches(first, 'lifted')
  await sign(first)
  await witnesses(second, 'party-1', 1n)
  await first.stop()
  await cp(fileOf('party-1'), `${fileOf('party-1')}.twin`)
  const [one, other] = [await start('party-1'), await start('party-1', { file: `${fileOf('party-1')}.twin` })]
  await Promise.all([reaches(one, 'lifted'), reaches(other, 'lifted')])
  await sign(one)
  await reaches(other, 'fenced')
  t.is(stateOf(one), 'lifted')
})

test('nobody but a party itself can have it fenced', async (t) => {
  const { start, outsider } = await neighbourhood(t)
  const [own, other] = [identities.party('party-1').identity, identities.party('party-2').identity]
  const far = { sequence: 99n, hash: new Uint8Array(32).fill(7) }
  // A witness that lies, with a head that it has signed itself or that names itself.
  const lies: SignedHead[] = [{ ...(await signHead(other, far)), partyId: own.id }, await signHead(other, far)]
  let told = 0
  const stop = outsider.serve(questionSubject('party-2'), async (payload) => {
    const question = JSON.parse(Buffer.from(payload).toString())
    const head = lies[told++ % lies.length]!
    return encodeWitness(await signAnswer(other, { ...question, challenge: Buffer.from(question.challenge, 'hex') }, head))
  })
  t.teardown(stop)
  const party = await start('party-1')
  outsider.publish(headSubject('party-1'), encodeWitness({ type: 'head', ...lies[0]! }))
  await until(
    () => told >= 2,
    () => 'the lying witness was not asked',
    5_000,
  )
  t.is(stateOf(party), 'busy', 'a lie is no answer')
  await start('party-3')
  await reaches(party, 'lifted')
})

test('an answer to another question, or by somebody else, is none', async (t) => {
  const { start, outsider } = await neighbourhood(t)
  const [second, third] = [identities.party('party-2').identity, identities.party('party-3').identity]
  const question = (payload: Uint8Array) => {
    const asked = JSON.parse(Buffer.from(payload).toString())
    return { ...asked, challenge: Buffer.from(asked.challenge, 'hex') }
  }
  let answers = 0
  const replies: ((payload: Uint8Array) => Promise<Uint8Array>)[] = [
    async (payload) => encodeWitness(await signAnswer(second, { ...question(payload), challenge: new Uint8Array(32) }, null)),
    async (payload) => encodeWitness(await signAnswer(third, question(payload), null)),
    async (payload) => encodeWitness({ ...(await signAnswer(third, question(payload), null)), from: 'party-2' }),
    async (payload) => encodeWitness(await signAnswer(second, { ...question(payload), from: 'party-3' }, null)),
    async () => Buffer.from('{"type":"answer"}'),
    async () => Buffer.alloc(10_000),
  ]
  t.teardown(outsider.serve(questionSubject('party-2'), (payload) => replies[answers++ % replies.length]!(payload)))
  const party = await start('party-1')
  await until(
    () => answers >= replies.length + 1,
    () => 'it was not asked',
    10_000,
  )
  t.is(stateOf(party), 'busy')
})

test('a witness keeps the highest head that the party itself has signed', async (t) => {
  const { start, outsider } = await neighbourhood(t)
  const watcher = await start('party-2')
  const [own, other] = [identities.party('party-1').identity, identities.party('party-3').identity]
  const at = (sequence: bigint) => ({ sequence, hash: new Uint8Array(32).fill(Number(sequence)) })
  const say = (head: SignedHead, subject = headSubject('party-1')) => outsider.publish(subject, encodeWitness({ type: 'head', ...head }))
  say({ ...(await signHead(other, at(90n))), partyId: 'party-1' })
  say({ ...(await signHead(own, at(8n))), sequence: 80n })
  say({ ...(await signHead(own, at(8n))), hash: new Uint8Array(32) })
  say(await signHead(own, at(70n)), headSubject('party-3'))
  say(await signHead(own, at(5n)))
  say(await signHead(own, at(4n)))
  await witnesses(watcher, 'party-1', 5n)
  const madeUp = (count: number) => {
    for (let n = 0; n < count; n++) say({ ...head, sequence: BigInt(1_000 + n) })
  }
  const head = await signHead(own, at(6n))
  madeUp(100)
  say(head)
  madeUp(100)
  await witnesses(watcher, 'party-1', 6n)
  t.is(watcher.store.witnessed('party-3'), undefined)
})
