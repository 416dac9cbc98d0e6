import { randomUUID } from 'node:crypto'
import test from 'ava'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { watchCoordinators } from '../../adapters/nats/coordinators.ts'
import { announceCoordinator } from '../../commands/processes/announcement.ts'
import { requestSignature } from '../../commands/request-signature.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { runApp } from '../../http/testing/running-app.ts'
import { startTestSystem } from './system.ts'

test('a signature is refused while too many sessions wait, and accepted with its priority when there is room', async (t) => {
  const system = await startTestSystem({ parties: 2 })
  t.teardown(system.close)
  const ids = system.parties.map(({ id }) => id)
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 2, parties: ids })
  const coordinators = watchCoordinators(system.messages, system.identities.witness)
  t.teardown(coordinators.close)
  let depth = 5
  const announcement = announceCoordinator(system.messages, {
    identity: system.identities.coordinator,
    report: () => ({
      coordinatorId: 'c1',
      startedAt: new Date().toISOString(),
      parties: system.standing.reports(),
      queue: { depth, capacity: 5 },
      running: 0,
    }),
    obey: async () => {},
    onFailure: t.fail,
  })
  t.teardown(announcement.close)
  await announcement.say()
  await system.messages.ping()
  const parties = { ids, isUp: system.isUp, health: () => undefined }
  const chain = { chains: new Map(), nodes: new Map(), prices: { usdCents: () => undefined } }
  const app = await runApp(t, [requestSignature({ log: system.log, parties, coordinators, verify: verifyJws, ...chain })])
  const authorization = `Bearer ${await app.token({ tenant: 'test' })}`
  const body = { payload: { kind: 'message', encoding: 'utf8', data: 'pay nobody' }, priority: 'high' }
  const path = `/v1/keys/${key.keyId}/signatures`
  const ask = (more = {}, key: string = randomUUID()) => {
    const wanted = { ...body, ...more }
    const headers = { 'quorate-intent': system.authorise(path, wanted).intent!, 'idempotency-key': key }
    return app.call('POST', path, { authorization, body: wanted, headers })
  }

  const refused = await ask()
  t.deepEqual([refused.status, refused.json.code, refused.json.retryable], [503, 'queue_full', true])
  t.true(Number(refused.headers.get('retry-after')) > 0)
  depth = 4
  await announcement.say()
  await system.messages.ping()
  const accepted = await ask({}, 'once')
  t.is(accepted.status, 202)
  const [requested] = await system.events(signingSessionStream(accepted.json.sessionId))
  t.like(requested!.data, { priority: 'high' })
  t.is((await system.outcome(accepted.json.sessionId)).status, 'signed')

  depth = 5
  await announcement.say()
  await system.messages.ping()
  t.is((await ask()).json.code, 'queue_full')
  const repeated = await ask({}, 'once')
  t.deepEqual(
    [repeated.status, repeated.json, repeated.headers.get('quorate-position')],
    [202, accepted.json, accepted.headers.get('quorate-position')],
  )
  t.is((await ask({ priority: 'low' }, 'once')).json.code, 'idempotency_key_reused')
  t.is((await ask({ priority: 'urgent' })).json.errors[0].pointer, '/priority')
})
