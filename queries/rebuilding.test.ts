import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startReadSide, walletFields } from './testing/read-side.ts'

test('while a read model is being built, what is missing is not said not to exist', async (t) => {
  const { app, models, project } = await startReadSide(t)
  const wallet = walletFields()
  await project('wallets', wallet.walletId, wallet)
  const read = (walletId: string) => app.call('GET', `/v1/wallets/${walletId}`)
  t.is((await read(wallet.walletId)).status, 200)
  t.is((await read(randomUUID())).status, 404)
  await t.notThrowsAsync(models.ready())

  await models.documents.drop('wallets@1', ['wallets'])
  const lost = await read(wallet.walletId)
  t.is(lost.status, 503)
  t.is(lost.json.code, 'read_model_behind')
  await t.throwsAsync(models.ready())

  await models.documents.moveCheckpoint('wallets@1', undefined, 1n)
  await project('wallets', wallet.walletId, wallet)
  t.is((await read(wallet.walletId)).status, 200)
  t.is((await read(randomUUID())).status, 404)
})

test('what the log is known to hold is waited for before anything is said not to exist', async (t) => {
  const { app, models, position } = await startReadSide(t)
  models.expect(position() + 100n)
  t.is((await app.call('GET', `/v1/wallets/${randomUUID()}`)).status, 503)
})
