import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { keyFields, type ReadSide, startReadSide, walletFields } from './testing/read-side.ts'

/** A wallet with a key, both read once. */
async function readOnce(side: ReadSide) {
  const wallet = walletFields()
  const key = keyFields(wallet.walletId)
  await side.project('wallets', wallet.walletId, wallet)
  await side.project('keys', key.keyId, key)
  await side.messages.ping()
  const paths = [`/v1/wallets/${wallet.walletId}`, `/v1/wallets/${wallet.walletId}/keys`, `/v1/keys/${key.keyId}`]
  const answers = []
  for (const path of paths) answers.push(await side.app.call('GET', path))
  return { walletId: wallet.walletId, keyId: key.keyId, paths, answers }
}

/** As long as workers report that all is well. */
function keepReporting({ worker, builds, position }: ReadSide) {
  const report = () => {
    for (const build of Object.values(builds)) worker.report(build, { position: String(position()), currentAt: new Date().toISOString() })
  }
  report()
  const timer = setInterval(report, 250)
  return () => clearInterval(timer)
}

/** What the first request waits for MongoDB; who comes after it waits for less, since nothing is asked of MongoDB any more. */
const ANSWER_WITHIN_MS = 2_000

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const started = Date.now()
  return { result: await work(), ms: Date.now() - started }
}

test('answers say how old they are once the read model has not been heard to be current for a while', async (t) => {
  const side = await startReadSide(t)
  const { paths } = await readOnce(side)
  const staleness = async (path: string) => (await side.app.call('GET', path)).headers.get('quorate-staleness')
  const stop = keepReporting(side)
  await delay(2_000)
  for (const path of paths) t.is(await staleness(path), null, path)
  stop()
  await delay(2_000)
  for (const path of paths) {
    const ms = Number(await staleness(path))
    t.true(ms > 1_500 && ms < 10_000, `${path}: ${ms}`)
  }
  const etag = (await side.app.call('GET', paths[0]!)).headers.get('etag')!
  const unchanged = await side.app.call('GET', paths[0]!, { headers: { 'if-none-match': etag } })
  t.is(unchanged.status, 304)
  t.truthy(unchanged.headers.get('quorate-staleness'))
})

for (const how of ['shut', 'stall'] as const) {
  test(`while MongoDB is away (${how}), what was read lately is answered with its age, and nothing else waits for long`, async (t) => {
    const side = await startReadSide(t)
    const { walletId, paths, answers } = await readOnce(side)
    const stop = keepReporting(side)
    t.teardown(stop)
    await delay(1_600)
    side.mongo[how]()
    const first = await timed(() => side.app.call('GET', paths[0]!))
    t.true(first.ms < 2 * ANSWER_WITHIN_MS, `${first.ms} ms`)
    for (const [index, path] of paths.entries()) {
      const { result, ms } = await timed(() => side.app.call('GET', path))
      t.deepEqual([result.status, result.json], [200, answers[index]!.json], path)
      t.is(result.headers.get('quorate-position'), answers[index]!.headers.get('quorate-position'))
      t.true(Number(result.headers.get('quorate-staleness')) > 1_500)
      t.true(ms < ANSWER_WITHIN_MS, `${path}: ${ms} ms`)
    }
    const unread = [
      `/v1/wallets/${randomUUID()}`,
      `/v1/wallets/${walletId}/history`,
      `${paths[1]}?limit=7`,
      '/v1/parties',
      '/v1/admin/projections',
    ]
    const authorization = `Bearer ${await side.app.token({ tenant: '*' })}`
    for (const path of unread) {
      const { result, ms } = await timed(() => side.app.call('GET', path, { authorization }))
      t.deepEqual([result.status, result.json.code, result.headers.get('retry-after')], [503, 'dependency_unavailable', '1'], path)
      t.true(ms < ANSWER_WITHIN_MS, `${path}: ${ms} ms`)
    }
    side.mongo.open()
    while ((await side.app.call('GET', paths[0]!)).headers.has('quorate-staleness')) await delay(50)
    t.is((await side.app.call('GET', `/v1/wallets/${randomUUID()}`)).status, 404)
    t.is((await side.app.call('GET', `/v1/wallets/${walletId}/history`)).status, 200)
  })
}

test('what is remembered is for those only who might have read it', async (t) => {
  const side = await startReadSide(t)
  const { walletId, keyId, paths } = await readOnce(side)
  side.mongo.shut()
  const as = async (claims: Parameters<typeof side.app.token>[0], path: string) =>
    (await side.app.call('GET', path, { authorization: `Bearer ${await side.app.token(claims)}` })).status
  for (const path of paths) {
    t.is(await as({ tenant: 'acme', roles: ['auditor'] }, path), 200, path)
    t.is(await as({ tenant: 'other', roles: ['auditor'] }, path), 404, path)
    t.is(await as({ tenant: 'acme', roles: ['operator'] }, path), 403, path)
  }
  t.is(await as({ tenant: 'other', roles: ['client'] }, `/v1/wallets/${walletId}/keys?limit=50`), 404)
  t.is(await as({ tenant: 'other', roles: ['client'] }, `/v1/keys/${keyId}?minPosition=1`), 404)
})

test('what is remembered is not passed off as newer than it is', async (t) => {
  const side = await startReadSide(t)
  const { paths } = await readOnce(side)
  const readAt = side.position()
  side.mongo.shut()
  side.worker.reach(side.builds.wallets, readAt + 5n)
  await side.messages.ping()
  t.is((await side.app.call('GET', `${paths[0]}?minPosition=${readAt}`)).status, 200)
  const newer = await side.app.call('GET', `${paths[0]}?minPosition=${readAt + 5n}`)
  t.deepEqual([newer.status, newer.json.code], [503, 'dependency_unavailable'])
})

test('while NATS is away, reads go on, and minPosition is answered after one look at the database', async (t) => {
  const side = await startReadSide(t)
  const { paths } = await readOnce(side)
  const { builds, store, position } = side
  side.nats.shut()
  await delay(1_600)
  const now = await side.app.call('GET', paths[0]!)
  t.is(now.status, 200)
  t.true(Number(now.headers.get('quorate-staleness')) > 1_500)
  const checkpoints = new Map(Array.from({ length: 16 }, (_, partition) => [partition, { position: position() + 5n, events: 1 }]))
  await store.advance(builds.wallets, { checkpoints, held: new Map(), parkings: 0 })
  const { result, ms } = await timed(() => side.app.call('GET', `${paths[0]}?minPosition=${position() + 5n}`))
  t.is(result.status, 200)
  t.true(ms < 6_000, `${ms} ms`)
  t.is((await side.app.call('GET', `${paths[0]}?minPosition=${position() + 6n}`)).json.code, 'read_model_behind')

  side.nats.open()
  const waiting = side.app.call('GET', `${paths[0]}?minPosition=${position() + 7n}`)
  await side.messages.ping().catch(() => undefined)
  while (
    !(await side.messages.ping().then(
      () => true,
      () => false,
    ))
  )
    await delay(20)
  side.worker.reach(builds.wallets, position() + 7n)
  t.is((await waiting).status, 200)
})
