import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { ParkedEvent } from '../../domain/ports/projections.ts'
import { ALL_PARTITIONS, type ReadSide, startReadSide } from '../testing/read-side.ts'

// One after another: each starts servers of its own, and many starts at once take longer than a client waits for one.

async function operate(side: ReadSide) {
  const authorization = `Bearer ${await side.app.token({ tenant: '*', roles: ['operator'] })}`
  return (method: string, path: string, headers: Record<string, string> = {}) =>
    side.app.call(method, `/v1/admin/projections${path}`, { authorization, headers })
}

const parkedEvent = (build: string, position: number, stream = `wallet-${randomUUID()}`): ParkedEvent => ({
  build,
  projection: 'keys',
  stream,
  revision: '4',
  position: String(position),
  type: 'KeyRevoked',
  error: 'DocumentMissing',
  parkedAt: '2026-01-01T00:00:00.000Z',
  held: 0,
})

test.serial('an operator sees how far each projection is, from what all of its workers say', async (t) => {
  const side = await startReadSide(t)
  const call = await operate(side)
  const first = await call('GET', '')
  t.deepEqual(
    first.json.items.map(({ name, status, rebuild }: { name: string; status: string; rebuild: null }) => [name, status, rebuild]),
    ['wallets', 'accounts', 'keys', 'signing_sessions', 'transfers', 'balances', 'wallet_history', 'parties', 'webhooks'].map((name) => [
      name,
      'unattended',
      null,
    ]),
  )

  const { keys } = side.builds
  // By a clock that is ahead, so that it is not old by the time somebody asks.
  const now = new Date(Date.now() + 60_000).toISOString()
  side.worker.report(
    keys,
    { partitions: ALL_PARTITIONS.slice(0, 9), position: '70', lagEvents: 3, lagMs: 12.5, currentAt: now, events: 9 },
    'worker-1',
  )
  side.worker.report(
    keys,
    { partitions: ALL_PARTITIONS.slice(9), position: '90', lagEvents: 1, lagMs: 20, currentAt: now, events: 11 },
    'worker-2',
  )
  await side.messages.ping()
  const { json } = await call('GET', '/keys')
  t.like(json, { name: 'keys', status: 'current', rebuild: null })
  t.like(json.active, {
    build: keys.id,
    version: 1,
    startedAt: keys.startedAt,
    position: '70',
    lagEvents: 3,
    lagMs: 20,
    parked: 0,
    failure: null,
    workers: 2,
    unattendedPartitions: 0,
  })

  const statusAfter = async (said: Parameters<typeof side.worker.report>[1], workerId: string) => {
    side.worker.report(keys, said, workerId)
    await side.messages.ping()
    return (await call('GET', '/keys')).json.status
  }
  t.is(await statusAfter({ currentAt: '2026-01-01T00:00:00.000Z' }, 'worker-1'), 'behind')
  t.is(await statusAfter({ currentAt: now, failure: 'mongodb does not answer' }, 'worker-1'), 'failing')
})

test.serial('a rebuild is begun once, is followed to its end, and its progress is told', async (t) => {
  const side = await startReadSide(t)
  const call = await operate(side)
  let alerted = 0
  side.messages.subscribe('quorate.projections.look', () => {
    alerted += 1
  })
  const begun = await call('POST', '/keys/rebuild', { 'idempotency-key': 'one' })
  t.is(begun.status, 202)
  t.is(begun.headers.get('location'), '/v1/admin/projections/keys')
  const again = await call('POST', '/keys/rebuild', { 'idempotency-key': 'one' })
  t.deepEqual([again.status, again.json], [202, begun.json])
  const other = await call('POST', '/keys/rebuild', { 'idempotency-key': 'two' })
  t.deepEqual([other.status, other.json.code, other.json.retryable], [409, 'rebuild_in_progress', false])
  await side.messages.ping()
  t.is(alerted, 1)

  const { building } = await side.store.builds('keys')
  t.is(building?.id, begun.json.build)
  t.like((await call('GET', '/keys')).json.rebuild, { build: building?.id, events: null, of: null, percent: null })
  side.worker.report(side.builds.keys, { position: '4000', events: 400 })
  side.worker.report(building!, { role: 'building', position: '1000', events: 100, lagEvents: 50 }, 'worker-2')
  await side.messages.ping()
  t.like((await call('GET', '/keys')).json.rebuild, { build: building?.id, position: '1000', events: 100, of: 400, percent: 25 })

  await side.store.activate(building!)
  t.like((await call('GET', '/keys')).json, { rebuild: null, active: { build: building?.id } })
})

test.serial('parked events of every build are listed page by page, in the order of the log', async (t) => {
  const side = await startReadSide(t)
  const call = await operate(side)
  const { keys } = side.builds
  const building = await side.store.begin('keys', 1)
  for (const position of [30, 10, 20]) await side.store.park(parkedEvent(keys.id, position))
  for (const position of [10, 40]) await side.store.park(parkedEvent(building.id, position))
  const seen: string[] = []
  let cursor: string | null = ''
  let pages = 0
  while (cursor !== null) {
    const { status, json } = await call('GET', `/keys/parked?limit=2${cursor && `&cursor=${cursor}`}`)
    t.is(status, 200)
    seen.push(...json.items.map(({ position, build }: ParkedEvent) => `${position} ${build}`))
    cursor = json.nextCursor
    pages += 1
  }
  const both = [keys.id, building.id].sort()
  t.deepEqual([seen, pages], [[`10 ${both[0]}`, `10 ${both[1]}`, `20 ${keys.id}`, `30 ${keys.id}`, `40 ${building.id}`], 3])
  const { json } = await call('GET', '/keys/parked?limit=1')
  t.like(json.items[0], { revision: '4', type: 'KeyRevoked', error: 'DocumentMissing', held: 0, retryRequestedAt: null })
  for (const wrong of ['x', '', Buffer.from('10').toString('base64url'), Buffer.from('10.a.{').toString('base64url')]) {
    const { status, json } = await call('GET', `/keys/parked?cursor=${wrong}`)
    t.deepEqual([status, json.code, json.errors[0].parameter], [400, 'invalid_cursor', 'cursor'], wrong)
  }
})

test.serial('a retry is asked for in every build that has parked the stream', async (t) => {
  const side = await startReadSide(t)
  const call = await operate(side)
  const event = parkedEvent(side.builds.keys.id, 10)
  await side.store.park(event)
  const asked = await call('POST', `/keys/parked/${event.stream}/retry`, { 'idempotency-key': 'r' })
  t.deepEqual([asked.status, asked.json], [202, { projection: 'keys', stream: event.stream, builds: [side.builds.keys.id] }])
  t.is(asked.headers.get('location'), '/v1/admin/projections/keys/parked')
  const { json } = await call('GET', '/keys/parked')
  t.truthy(json.items[0].retryRequestedAt)
  const unknown = await call('POST', `/keys/parked/wallet-${randomUUID()}/retry`)
  t.deepEqual([unknown.status, unknown.json.code], [404, 'nothing_parked'])
  const misused = await side.app.call('POST', `/v1/admin/projections/keys/parked/${event.stream}/retry`, {
    authorization: `Bearer ${await side.app.token({ tenant: '*', roles: ['operator'] })}`,
    headers: { 'idempotency-key': 'r' },
    body: {},
  })
  t.deepEqual([misused.status, misused.json.code], [422, 'idempotency_key_reused'])
})

test.serial('projections are for operators of the platform, and unknown ones are not found', async (t) => {
  const side = await startReadSide(t)
  const routes = [
    ['GET', ''],
    ['GET', '/keys'],
    ['GET', '/keys/parked'],
    ['POST', '/keys/rebuild'],
    ['POST', '/keys/parked/wallet-1/retry'],
  ] as const
  const refused = [
    { tenant: 'acme', roles: ['operator'] },
    { tenant: '*', roles: ['client', 'auditor', 'approver', 'data'] },
  ] as const
  for (const claims of refused) {
    const authorization = `Bearer ${await side.app.token(claims)}`
    for (const [method, path] of routes)
      t.is((await side.app.call(method, `/v1/admin/projections${path}`, { authorization })).status, 403, path)
  }
  const call = await operate(side)
  for (const name of ['nothing', 'KEYS', 'keys%20', '__proto__', 'constructor', 'k'.repeat(100)])
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/parked'],
      ['POST', '/rebuild'],
      ['POST', '/parked/wallet-1/retry'],
    ] as const) {
      const { status, json } = await call(method, `/${name}${rest}`)
      t.deepEqual([status, json.code], [404, 'projection_not_found'], `${name}${rest}`)
    }
})

test.serial('the figures of projections are measured for Prometheus', async (t) => {
  const side = await startReadSide(t)
  const building = await side.store.begin('keys', 1)
  side.worker.report(side.builds.keys, {
    position: '70',
    lagEvents: 3,
    lagMs: 12.5,
    currentAt: new Date().toISOString(),
    events: 200,
    parked: 2,
  })
  side.worker.report(building, { role: 'building', position: '30', events: 50, partitions: [0, 1] }, 'worker-2')
  side.worker.reach(side.builds.keys, 80n)
  await side.messages.ping()
  const measured = async () => {
    const { text } = await side.app.call('GET', '/metrics', { authorization: null })
    return Object.fromEntries(
      [...text.matchAll(/^quorate_projection_(\w+)\{projection="keys"\} (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]),
    )
  }
  const { staleness_milliseconds: staleness, rebuild_progress_ratio: ratio, ...figures } = await measured()
  t.deepEqual(figures, {
    position: 80,
    lag_events: 3,
    lag_milliseconds: 12.5,
    parked_events: 2,
    failing: 0,
    workers: 1,
    unattended_partitions: 0,
    rebuild_parked_events: 0,
  })
  t.is(ratio, 50 / 203)
  t.true((staleness ?? -1) >= 0)
})
