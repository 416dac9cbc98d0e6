import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { type Caller, caller, type Load, type Reply, startLoad } from './load.ts'
import { DEPENDENCIES, type Dependency, type OutageSystem, startOutageSystem } from './system.ts'

/** How long each server is away; `npm run test:outage` sets a minute. */
const AWAY_MS = Number(process.env.QUORATE_OUTAGE_SECONDS ?? 2) * 1000
const FROZEN_MS = Math.min(AWAY_MS, 15_000)
const BACK_WITHIN_MS = 30_000
/** A query must not keep its caller for much longer than this, nor a command for longer than that. */
const QUERY_WITHIN_MS = 5_000
const COMMAND_WITHIN_MS = 15_000

let system: OutageSystem
let running = false
let keyId: string
let client: Caller

/** What a test that failed has left behind says nothing about the next one, which begins with a system of its own. */
test.beforeEach(async (t) => {
  if (running) return
  t.timeout(60_000)
  system = await startOutageSystem()
  running = true
  client = caller(system.dev)
  await until(async () => (await client.get('/readyz')).status === 200, 'readiness')
  const { json: wallet } = await client.post(
    '/v1/wallets',
    { name: 'first', clientKeys: [{ ...system.dev.publicJwk, kid: system.dev.kid }] },
    'w',
  )
  const { json: key } = await client.post(`/v1/wallets/${wallet.walletId}/keys`, { scheme: 'frost-ed25519', threshold: 2, parties: 2 }, 'k')
  keyId = key.keyId
  t.is((await client.get(`/v1/keys/${keyId}`, { prefer: 'wait=30' })).json.status, 'active')
})

test.afterEach.always((t) => t.passed || stop())

test.after.always(stop)

async function stop(): Promise<void> {
  if (running) await system.stop()
  running = false
}

function startLoadOf(t: ExecutionContext): Load {
  const load = startLoad(system.dev, keyId)
  t.teardown(load.abandon)
  return load
}

test.serial('a read model is built anew under load, and its readers notice nothing', async (t) => {
  const load = startLoadOf(t)
  await until(async () => load.wallets.size > 3, 'the load to be under way')
  const begun = await client.post('/v1/admin/projections/wallets/rebuild', {}, 'rebuild')
  t.is(begun.status, 202)
  const look = async () => (await client.get('/v1/admin/projections/wallets')).json
  await until(async () => (await look()).active.build === begun.json.build, 'readers to be turned to the new build', BACK_WITHIN_MS)
  await until(async () => (await look()).status === 'current', 'the new build to be current', BACK_WITHIN_MS)
  t.is((await look()).rebuild, null)
  await load.stop()
  t.deepEqual([...new Set(load.queries.map(({ status }) => status))], [200])
  await checkOutcome(t, load)
})

for (const dependency of DEPENDENCIES) {
  test.serial(`${dependency} is killed under load and comes back: nothing is lost, and nothing needs a restart`, async (t) => {
    t.timeout(AWAY_MS + 100_000)
    await goThrough(t, dependency, AWAY_MS, {
      leave: () => system.kill(dependency),
      comeBack: () => system.startAgain(dependency),
    })
  })
}

// A connection that is not closed is noticed by a time limit only, and that takes longer than a short run has.
for (const dependency of AWAY_MS >= 10_000 ? DEPENDENCIES : []) {
  test.serial(`${dependency} is frozen under load and goes on: nothing is lost, and nothing needs a restart`, async (t) => {
    t.timeout(FROZEN_MS + 100_000)
    await goThrough(t, dependency, FROZEN_MS, {
      leave: async () => system.freeze(dependency),
      comeBack: async () => system.thaw(dependency),
    })
  })
}

async function goThrough(
  t: ExecutionContext,
  dependency: Dependency,
  awayMs: number,
  { leave, comeBack }: { leave(): Promise<void>; comeBack(): Promise<void> },
): Promise<void> {
  const load = startLoadOf(t)
  await until(async () => load.wallets.size > 5 && load.sessions.size > 2, 'the load to be under way')
  const leftAt = Date.now()
  await leave()
  await delay(awayMs / 2)
  const readiness = await client.get('/readyz')
  t.is(readiness.status, 503)
  const failing = readiness.json.checks.filter(({ status }: { status: string }) => status === 'failing')
  t.true(
    failing.some(({ name }: { name: string }) => name === dependency),
    JSON.stringify(failing),
  )
  t.is((await client.get('/healthz')).status, 200)
  await delay(awayMs / 2)
  await comeBack()
  const backAt = Date.now()
  await until(async () => (await client.get('/readyz')).status === 200, 'readiness', BACK_WITHIN_MS)
  const sizes = [load.wallets.size, load.sessions.size] as const
  await until(async () => load.wallets.size > sizes[0] + 3 && load.sessions.size > sizes[1] + 1, 'the load to go on')
  await load.stop()

  const during = ({ at }: Reply) => at > leftAt && at < backAt
  checkAnswers(t, load)
  if (dependency === 'eventstore') t.true(load.commands.filter(during).some(({ status }) => status === 503))
  else
    t.true(
      load.commands.filter(during).some(({ status }) => status === 201),
      'commands go on',
    )
  t.true(
    load.queries.filter(during).some(({ status }) => status === 200),
    'queries go on',
  )
  if (awayMs > 2_500)
    t.true(
      load.queries.filter(during).some(({ status, staleness }) => status === 200 && (staleness ?? 0) > 1_500),
      'and say how old they are',
    )
  await checkOutcome(t, load)
  t.deepEqual(system.failures(), [])
  t.log(summaryOf(load, during, Date.now() - backAt))
}

/** Every answer is the thing itself, or says that it may be asked for again, in time. */
function checkAnswers(t: ExecutionContext, { commands, queries }: Load): void {
  const isRetryable = ({ status, json, retryAfter }: Reply) =>
    (status === 503 || status === 409) && json.retryable === true && retryAfter !== null
  const brief = ({ status, ms, json: { code, detail } }: Reply) => ({ status, ms, code, detail })
  t.deepEqual(commands.filter((reply) => reply.status >= 300 && !isRetryable(reply)).map(brief), [])
  t.deepEqual(queries.filter((reply) => reply.status !== 200 && !isRetryable(reply)).map(brief), [])
  t.deepEqual(commands.filter(({ ms }) => ms > COMMAND_WITHIN_MS).map(brief), [])
  t.deepEqual(queries.filter(({ ms }) => ms > QUERY_WITHIN_MS).map(brief), [])
}

/** What was acknowledged is in the log once and in the read models, and every session has come to its end. */
async function checkOutcome(t: ExecutionContext, { wallets, sessions }: Load): Promise<void> {
  const created = new Map<string, number>()
  const log = connectEventLog({ url: system.eventStoreUrl })
  for await (const { type, stream } of log.readAll())
    if (type === 'WalletCreated' || type === 'SigningRequested') created.set(stream, (created.get(stream) ?? 0) + 1)
  await log.close()
  await Promise.all(
    [...wallets].map(async ([walletId, position]) => {
      t.is(created.get(`wallet-${walletId}`), 1)
      t.is((await client.get(`/v1/wallets/${walletId}?minPosition=${position}`)).status, 200)
    }),
  )
  await Promise.all(
    [...sessions.keys()].map(async (sessionId) => {
      t.is(created.get(`signingSession-${sessionId}`), 1)
      const { status, json } = await client.get(`/v1/signing-sessions/${sessionId}`, { prefer: 'wait=60' })
      t.true(status === 200 && ['signed', 'failed', 'expired'].includes(json.status), `${sessionId}: ${status} ${json.status ?? json.code}`)
    }),
  )
}

function summaryOf({ commands, queries, wallets, sessions }: Load, during: (reply: Reply) => boolean, backMs: number): string {
  const count = (replies: readonly Reply[]) => {
    const by = new Map<number, number>()
    for (const { status } of replies.filter(during)) by.set(status, (by.get(status) ?? 0) + 1)
    const slowest = Math.max(0, ...replies.filter(during).map(({ ms }) => ms))
    return `${[...by].map(([status, times]) => `${times}× ${status}`).join(', ')}, slowest ${slowest} ms`
  }
  const ratio = `${wallets.size} wallets, ${sessions.size} sessions in all, all there ${backMs} ms after its return`
  return `while away: commands ${count(commands)}; queries ${count(queries)}; ${ratio}`
}

async function until(condition: () => Promise<boolean>, what: string, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`)
    await delay(50)
  }
}
