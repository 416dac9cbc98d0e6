import { join } from 'node:path'
import test from 'ava'
import { auditorOf } from './auditor.ts'
import { startTestSystem, type TestSystem } from './system.ts'

process.env.QUORATE_CHECKPOINT_SECONDS = '1'

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.stop())

type Scavenged = { result: string; archivedEvents: number; removed: { subscriptions: number }; scavengeId: string }

test('scavenged while it runs, it goes on, and all that it tells is what it told before', async (t) => {
  const { answered, historyOf, sign } = auditorOf(system)
  const { walletId } = await sign()
  await sign()
  await system.killEverything()
  await system.startAgain()
  await sign()
  const place = join(system.dataDir, 'archive')
  const key = join(system.dataDir, 'audit/vkey')
  await system.run('archive')
  const moment = new Date().toISOString()
  const told = async () => ({
    steps: await historyOf(walletId),
    wallet: await answered<object>(`/v1/wallets/${walletId}`),
    audit: (await answered<{ digest: string }>(`/v1/wallets/${walletId}/audit`)).digest,
    replayed: JSON.parse(await system.run('replay', '--wallet', walletId, '--source', 'log')).digest,
    all: await system.run('audit', '--to', moment, '--source', 'log', '--format', 'ndjson'),
  })
  const before = await told()
  await t.throwsAsync(system.run('scavenge', '--archive', join(system.dataDir, 'nowhere'), '--key', key), {
    code: 1,
    message: /no_archive: /,
  })
  const scavenged = JSON.parse(await system.run('scavenge', '--archive', place, '--key', key, '--by', 'ops@example.com')) as Scavenged
  t.is(scavenged.result, 'Success')
  t.true(scavenged.removed.subscriptions > 0)
  t.deepEqual(await told(), before)
  await system.run('rebuild', '--projection', 'wallets')
  await sign()
  await system.killEverything()
  await system.startAgain()
  await sign()
  t.deepEqual(await told(), before)
  const { items } = await answered<{ items: { data: { scavengeId?: string } }[] }>('/v1/events?type=ScavengeStarted,ScavengeCompleted')
  t.deepEqual(
    items.map(({ data }) => data.scavengeId),
    [scavenged.scavengeId, scavenged.scavengeId],
  )
  t.log(scavenged)
})
