import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { collectionOf } from '../domain/ports/projections.ts'
import { READ_MODELS } from './read-model.ts'
import { keyFields, startReadSide, walletFields } from './testing/read-side.ts'

// One after another: each starts servers of its own, and many starts at once take longer than a client waits for one.

test.serial('what is missing from a build in the making is not said not to exist, and lists wait until it is whole', async (t) => {
  const side = await startReadSide(t)
  const { app, models, store, documents, messages, worker } = side
  const wallet = walletFields()
  await side.project('wallets', wallet.walletId, wallet)
  const read = (walletId: string, rest = '') => app.call('GET', `/v1/wallets/${walletId}${rest}`)
  t.is((await read(wallet.walletId)).status, 200)
  t.is((await read(randomUUID())).status, 404)
  t.is((await read(wallet.walletId, '/keys')).status, 200)
  await t.notThrowsAsync(models.ready())

  const behind = async (walletId: string, rest = '') => {
    const { status, json, headers } = await read(walletId, rest)
    t.deepEqual([status, json.code, headers.get('retry-after')], [503, 'read_model_behind', '1'])
  }
  await side.loseDocuments()
  // until the connection has been made anew, what was read last is answered
  while ((await read(wallet.walletId)).status === 200) await delay(20)
  await behind(wallet.walletId)
  for (const name of READ_MODELS) {
    side.builds[name] = await store.begin(name, 1)
    worker.reach(side.builds[name], 1n)
    await models.freshness[name].look()
  }
  await behind(wallet.walletId)
  const collection = collectionOf(side.builds.wallets, 'wallets')
  await documents.apply([{ position: 2n, writes: [{ collection, id: wallet.walletId, create: true, set: wallet }] }])
  const key = keyFields(wallet.walletId)
  const keys = collectionOf(side.builds.keys, 'keys')
  await documents.apply([{ position: 2n, writes: [{ collection: keys, id: key.keyId, create: true, set: key }] }])
  worker.reach(side.builds.wallets, side.position())
  worker.reach(side.builds.keys, side.position())
  await messages.ping()
  t.is((await read(wallet.walletId)).status, 200)
  await behind(randomUUID())
  await behind(wallet.walletId, '/keys')
  await behind(wallet.walletId, '/history')
  await t.throwsAsync(models.ready())

  for (const name of READ_MODELS) {
    await store.activate(side.builds[name])
    worker.reach(side.builds[name], side.position())
    await models.freshness[name].look()
  }
  t.is((await read(randomUUID())).status, 404)
  t.is((await read(wallet.walletId, '/keys')).status, 200)
  await t.notThrowsAsync(models.ready())
})

test.serial('what the log is known to hold is waited for before anything is said not to exist', async (t) => {
  const { app, models, position } = await startReadSide(t)
  models.expect(position() + 100n)
  t.is((await app.call('GET', `/v1/wallets/${randomUUID()}`)).status, 503)
})

test.serial('a build that was replaced and dropped unheard of is noticed by what is missing from it', async (t) => {
  const side = await startReadSide(t)
  const { app, store, documents } = side
  const wallet = walletFields()
  const key = keyFields(wallet.walletId)
  await side.project('wallets', wallet.walletId, wallet)
  await side.project('keys', key.keyId, key)
  const paths = [`/v1/wallets/${wallet.walletId}/keys`, `/v1/keys/${key.keyId}`]
  for (const path of paths) t.is((await app.call('GET', path)).status, 200)

  for (const path of paths) {
    const next = await store.begin('keys', 2)
    const set = { ...key, status: `as of ${next.id}` }
    await documents.apply([
      { position: side.position(), writes: [{ collection: collectionOf(next, 'keys'), id: key.keyId, create: true, set }] },
    ])
    await store.advance(next, {
      checkpoints: new Map(Array.from({ length: 16 }, (_, partition) => [partition, { position: side.position(), events: 1 }])),
      held: new Map(),
      parkings: 0,
    })
    await store.activate(next)
    await store.dropRetired('keys', ['keys'])
    const { status, json } = await app.call('GET', path)
    t.deepEqual([status, (json.items?.[0] ?? json).status], [200, `as of ${next.id}`], path)
  }
})

test.serial('a cursor goes on in the build that has taken over', async (t) => {
  const side = await startReadSide(t)
  const { app, store, documents } = side
  const wallet = walletFields()
  await side.project('wallets', wallet.walletId, wallet)
  const keys = Array.from({ length: 6 }, () => keyFields(wallet.walletId))
  for (const key of keys) await side.project('keys', key.keyId, key)
  const page = async (cursor?: string) => {
    const { json } = await app.call('GET', `/v1/wallets/${wallet.walletId}/keys?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
    return { ids: json.items.map(({ keyId }: { keyId: string }) => keyId) as string[], next: json.nextCursor as string }
  }
  const first = await page()
  const next = await store.begin('keys', 2)
  const collection = collectionOf(next, 'keys')
  await documents.apply([{ position: side.position(), writes: keys.map((key) => ({ collection, id: key.keyId, create: true, set: key })) }])
  await store.activate(next)
  await store.dropRetired('keys', ['keys'])
  await side.models.freshness.keys.look()
  const second = await page(first.next)
  const third = await page(second.next)
  t.deepEqual([...first.ids, ...second.ids, ...third.ids], keys.map(({ keyId }) => keyId).sort())
})
