import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Documents, GuardedWrite } from '../../domain/ports/documents.ts'
import { type EventLog, type SubscriptionMessage, Unavailable } from '../../domain/ports/event-log.ts'
import { BuildGone, type ProjectionStore } from '../../domain/ports/projections.ts'
import type { Projection, RecordedDomainEvent } from '../../projections/projection.ts'
import { until } from '../end-to-end/system.ts'
import { activeAt, append, type Database, employ, openWorkplace, type Workplace } from './workplace.ts'

const STREAMS = 12
const EVENTS = 200
const SCENARIOS = 3
const CHAOS_MS = 2_000

type Data = { subject: string; amount: number; poison: boolean }

const dataOf = (event: RecordedDomainEvent) => event.data as unknown as Data

/** Documents that tell of everything that was done to them twice, not at all, or in the wrong order. Sick, it cannot apply some events. */
function readModels(isSick: () => boolean): Projection[] {
  const readModel = (
    name: string,
    acrossStreams: boolean,
    writes: (event: RecordedDomainEvent, data: Data) => GuardedWrite[],
  ): Projection => ({
    name,
    version: 1,
    collections: [name],
    indexes: [{ collection: name, fields: { last: 1 } }],
    acrossStreams,
    apply(event) {
      const data = dataOf(event)
      if (data.poison && isSick()) throw new Error(`no idea what to make of ${data.subject}`)
      return writes(event, data)
    },
  })
  return [
    readModel('journals', false, ({ stream, revision, position }, { amount }) => [
      {
        collection: 'journals',
        id: stream,
        create: revision === 0n,
        set: { last: Number(position) },
        increment: { sum: amount },
        push: { revisions: Number(revision) },
      },
    ]),
    readModel('entries', false, ({ stream, position }, { amount }) => [
      { collection: 'entries', id: String(position).padStart(12, '0'), create: true, set: { stream, amount } },
    ]),
    readModel('totals', true, ({ position }, { subject, amount }) =>
      [subject, 'everything'].map((id) => ({
        collection: 'totals',
        id,
        create: true,
        set: { last: Number(position) },
        increment: { sum: amount, times: 1 },
      })),
    ),
  ]
}

type Scenario = {
  /** When a worker comes, how long it works, how many calls of its it takes until it crashes, and whether it knows of the others. */
  workers: { comesAfter: number; calls: number; diesWholly: boolean; hearsOthers: boolean; batch: number; delay: number; repeats: number }[]
  losesDatabase: boolean
  sick: boolean
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  workers: fc.array(
    fc.record({
      comesAfter: fc.integer({ min: 0, max: 1_200 }),
      calls: fc.integer({ min: 2, max: 60 }),
      diesWholly: fc.boolean(),
      hearsOthers: fc.boolean(),
      batch: fc.integer({ min: 1, max: 60 }),
      delay: fc.integer({ min: 0, max: 15 }),
      repeats: fc.integer({ min: 0, max: 20 }),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  losesDatabase: fc.boolean(),
  sick: fc.boolean(),
})

/**
 * After so many calls nothing works any more, as in a process that was killed, or no document can be written: the last call takes no effect, part of
 * it, or all of it.
 */
function mortal(
  database: Database,
  { calls, diesWholly }: Pick<Scenario['workers'][number], 'calls' | 'diesWholly'>,
): Pick<Database, 'documents' | 'projections'> & { isDead(): boolean } {
  let left = calls
  const attempt = async <T>(whole: () => Promise<T>, part: () => Promise<unknown>): Promise<T> => {
    if (left <= 0) throw new Unavailable('the dead')
    if (--left > 0) return whole()
    await (calls % 3 === 0 ? part() : calls % 3 === 1 ? whole() : undefined)
    throw new Unavailable('the dead')
  }
  const documents: Documents = {
    ...database.documents,
    apply: (batch) =>
      attempt(
        () => database.documents.apply(batch),
        () => database.documents.apply(batch.slice(0, calls % 7)),
      ),
  }
  const store = Object.fromEntries(
    Object.entries(database.projections).map(([name, method]: [string, (...args: never[]) => Promise<unknown>]) => [
      name,
      (...args: never[]) =>
        diesWholly
          ? attempt(
              () => method(...args),
              async () => undefined,
            )
          : method(...args),
    ]),
  ) as unknown as ProjectionStore
  return { documents, projections: store, isDead: () => left <= 0 }
}

/** The log in batches of another size, late, and with the last few messages of a batch said again. */
function unsteady(log: EventLog, { batch, delay: ms, repeats }: Scenario['workers'][number]): EventLog {
  return {
    ...log,
    async *subscribe(options) {
      let last: readonly SubscriptionMessage[] = []
      for await (const messages of log.subscribe(options))
        for (let from = 0; from < messages.length; from += batch) {
          await delay(ms)
          const next = messages.slice(from, from + batch)
          yield [...last.slice(-repeats).filter(({ kind }) => kind === 'event' && repeats > 0), ...next]
          last = next
        }
    },
  }
}

async function fillLog({ log }: Workplace): Promise<bigint> {
  const seeds = fc.sample(
    fc.record({
      stream: fc.integer({ min: 1, max: STREAMS }),
      subject: fc.integer({ min: 1, max: 5 }),
      amount: fc.integer({ min: -50, max: 50 }),
    }),
    EVENTS,
  )
  let position = -1n
  for (const [i, { stream, subject, amount }] of seeds.entries())
    position = await append(log, `wallet-${stream}`, [{ data: { subject: `subject ${subject}`, amount, poison: i % 97 === 60 } }])
  return position
}

type Contents = { [collection: string]: unknown[] }

/** What the read models hold, once they all hold everything, nothing is parked or being made, and no other build has taken over meanwhile. */
async function settled(database: Database, projections: readonly Projection[], head: bigint): Promise<Contents | undefined> {
  const contents: Contents = {}
  for (const projection of projections) {
    const build = await activeAt(database, projection, head)
    if (!build || (await database.projections.builds(projection.name)).building) return undefined
    if ((await database.projections.parked(build)).length > 0) return undefined
    contents[projection.name] = await database.read(build, projection.name)
    // Of a build that was replaced while it was looked at, nothing is parked any more, and its documents still have their holes.
    if ((await database.projections.builds(projection.name)).active?.id !== build.id) return undefined
  }
  return contents
}

/** The documents after one worker has gone through the log once, undisturbed. */
async function singlePass(t: ExecutionContext, workplace: Workplace, head: bigint): Promise<Contents> {
  const database = await workplace.openDatabase()
  const worker = employ(t, alone(workplace), database, { projections: readModels(() => false) })
  const contents = await until(
    () =>
      settled(
        database,
        readModels(() => false),
        head,
      ),
    'the single pass',
    20_000,
  )
  await worker.close()
  return contents
}

/** Without anybody else. */
function alone({ log, messages }: Workplace): Pick<Workplace, 'log' | 'messages'> {
  return { log, messages: { ...messages, subscribe: () => () => {}, publish: () => {} } }
}

/** With those of the same scenario only. */
function among(workplace: Workplace, scenario: number): Pick<Workplace, 'log' | 'messages'> {
  const { messages } = workplace
  const own = (subject: string) => `s${scenario}.${subject}`
  return {
    ...workplace,
    messages: {
      ...messages,
      publish: (subject, payload) => messages.publish(own(subject), payload),
      subscribe: (subject, listener) => messages.subscribe(own(subject), (payload, said) => listener(payload, said.slice(own('').length))),
    },
  }
}

async function play(t: ExecutionContext, workplace: Workplace, scenario: Scenario, index: number, head: bigint): Promise<Contents> {
  const database = await workplace.openDatabase()
  const place = among(workplace, index)
  let sick = scenario.sick
  const projections = readModels(() => sick)
  const chaos = scenario.workers.map(async (part) => {
    await delay(part.comesAfter)
    const end = Date.now() + CHAOS_MS - part.comesAfter
    while (Date.now() < end) {
      const mine = mortal(database, part)
      const { log, messages } = part.hearsOthers ? place : alone(workplace)
      const worker = employ(t, { log: unsteady(log, part), messages }, mine, { projections })
      while (!mine.isDead() && Date.now() < end) await delay(20)
      // Who has lost only his documents goes on trying for a while.
      if (!part.diesWholly) await delay(100)
      await worker.close()
    }
  })
  if (scenario.losesDatabase) await delay(CHAOS_MS / 2).then(database.drop)
  const survivors = [employ(t, place, database, { projections }), employ(t, place, database, { projections })]
  await Promise.all(chaos)
  if (sick) {
    for (const { name } of projections) await until(() => hasParked(database, name), `${name} to have parked something`, 20_000)
    sick = false
  }
  const contents = await until(
    async () => {
      if (scenario.sick) await requestRetries(database, projections)
      return settled(database, projections, head)
    },
    `scenario ${JSON.stringify(scenario)}`,
    20_000,
  )
  await Promise.all(survivors.map((worker) => worker.close()))
  return contents
}

async function hasParked({ projections: store }: Database, name: string): Promise<boolean> {
  const { active } = await store.builds(name)
  return active !== undefined && (await store.parked(active)).length > 0
}

async function requestRetries({ projections: store }: Database, projections: readonly Projection[]): Promise<void> {
  for (const { name } of projections) {
    const { active, building } = await store.builds(name)
    for (const build of [active, building])
      for (const { stream } of build ? await store.parked(build) : []) await store.requestRetry(build!, stream).catch(ignoreGone)
  }
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof BuildGone)) throw error
}

test('whoever crashes, comes or goes, and whatever comes twice or late, the documents are those of a single pass', async (t) => {
  const workplace = await openWorkplace(t)
  const head = await fillLog(workplace)
  const expected = await singlePass(t, workplace, head)
  t.is(expected.entries?.length, EVENTS)
  const played = fc.sample(scenarios, SCENARIOS)
  const outcomes = await Promise.all(played.map((scenario, index) => play(t, workplace, scenario, index, head)))
  for (const [index, contents] of outcomes.entries()) t.deepEqual(contents, expected, JSON.stringify(played[index]))
})
