import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { temporaryDataKeys } from '../adapters/data-keys/testing/temporary-keys.ts'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { createSigner } from '../domain/authorisation/testing/signer.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import { isSealed, type Sealed } from '../domain/personal-data/sealed.ts'
import type { DataKeys } from '../domain/ports/data-keys.ts'
import type { EventLog, RecordedEvent } from '../domain/ports/event-log.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { detection, ETHER, request } from '../domain/wallet/transfers/testing/scenario.ts'
import { requireWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { runApp } from '../http/testing/running-app.ts'
import { createWallet } from './create-wallet.ts'
import type { CommandDependencies } from './dependencies.ts'
import { erasePersonalData } from './erase-personal-data.ts'
import { execute } from './execute.ts'
import { freezeWallet } from './freeze-wallet.ts'
import { load, rememberingLog } from './load.ts'
import { inClear } from './personal-data.ts'
import { erasureProcess } from './processes/erasure.ts'

const client = createSigner('client')
const NAME = 'Ada Lovelace'
const BODY = { name: NAME, clientKeys: [client.key] }
const REASON = { reason: 'data_subject_request' }

async function start(t: ExecutionContext, around: (keys: DataKeys) => DataKeys = (keys) => keys) {
  const store = await startEmbeddedEventStore({ port: 0 })
  const stored = connectEventLog({ url: store.url })
  const { dir, keys } = await temporaryDataKeys(t)
  const log = rememberingLog(withCurrentEvents(stored), { dataKeys: around(keys), onFailure: (_, error) => t.fail(String(error)) })
  t.teardown(async () => {
    await log.close()
    await store.close()
  })
  const dependencies = { log, verify: verifyJws, chains: new Map() } as unknown as CommandDependencies
  const app = await runApp(t, [createWallet(dependencies), freezeWallet(dependencies), erasePersonalData(dependencies)])
  const operator = `Bearer ${await app.token({ roles: ['operator'] })}`
  const commandOf = (walletId: string, command: WalletCommand) => {
    const commandId = randomUUID()
    const context = { commandId, correlationId: commandId, causationId: commandId, actor: 'test', tenant: 'acme' }
    return execute(log, { decider: wallet, stream: walletStream(walletId) }, () => command, context)
  }
  return {
    app,
    log,
    keys,
    commandOf,
    create: async (key: string = randomUUID()) => {
      const { status, json } = await app.call('POST', '/v1/wallets', { body: BODY, headers: { 'idempotency-key': key } })
      t.is(status, 201)
      return json.walletId as string
    },
    erase: (walletId: string, { body = REASON as object, key = randomUUID() as string, authorization = operator as string | null } = {}) =>
      app.call('POST', `/v1/wallets/${walletId}/erase`, {
        body,
        headers: { 'idempotency-key': key },
        ...(authorization && { authorization }),
      }),
    keysOf: (walletId: string) => readdirSync(join(dir, 'wallets', walletId)),
    eventsOf: (walletId: string) => eventsOf(stored, walletId),
    fund: async (walletId: string) => {
      await commandOf(walletId, detection('d', 10n ** 18n, { asset: ETHER }))
      await commandOf(walletId, { type: 'CreditDeposit', depositId: 'd', confirmations: 1 })
    },
    state: async (walletId: string) =>
      requireWallet((await load({ ...log, memory: undefined as never }, { decider: wallet, stream: walletStream(walletId) })).state),
  }
}

async function eventsOf(stored: EventLog, walletId: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of stored.readStream(walletStream(walletId))) events.push(event)
  return events
}

test('names, reasons and memos are sealed in the log and in what is remembered of it', async (t) => {
  const { app, commandOf, create, eventsOf, fund, state, log } = await start(t)
  const walletId = await create()
  await fund(walletId)
  const body = JSON.stringify({ memo: 'for Grace' })
  const authorisation = { method: 'POST', path: '/', body, intent: 'of Ada' }
  const asked = await commandOf(walletId, { ...request('t'), memo: 'for Grace', authorisation })
  const operator = await app.token({ roles: ['operator'] })
  await app.call('POST', `/v1/wallets/${walletId}/freeze`, { body: { reason: 'Ada is away' }, authorization: `Bearer ${operator}` })
  const events = await eventsOf(walletId)
  t.deepEqual(
    events.map(({ type }) => type),
    ['WalletCreated', 'DepositDetected', 'DepositCredited', 'TransferRequested', 'FundsReserved', 'WalletFrozen'],
  )
  for (const known of [events.map(({ data }) => data), asked.state, await state(walletId)]) t.notRegex(JSON.stringify(known), /Ada|Grace/)
  const { transfers, name } = await state(walletId)
  t.is(await inClear(log, walletId, 'name', name), NAME)
  t.is(await inClear(log, walletId, 'memo', transfers.t!.memo), 'for Grace')
  t.deepEqual(await inClear(log, walletId, 'authorisation', transfers.t!.authorisation), authorisation)
})

test('a wallet that is asked for again under its idempotency key is the same, though its name would be sealed otherwise', async (t) => {
  const { app, create } = await start(t)
  const walletId = await create('once')
  t.is(await create('once'), walletId)
  const other = await app.call('POST', '/v1/wallets', { body: { ...BODY, name: 'Grace' }, headers: { 'idempotency-key': 'once' } })
  t.deepEqual([other.status, other.json.code], [422, 'idempotency_key_reused'])
})

test('what a wallet has said of people is erased for good, and the events stay as they are', async (t) => {
  const { create, erase, eventsOf, keys, keysOf } = await start(t)
  const walletId = await create()
  const before = await eventsOf(walletId)
  const { status, json, headers } = await erase(walletId, { key: 'once' })
  t.deepEqual([status, json, headers.get('location')], [200, { walletId }, `/v1/wallets/${walletId}`])
  const [created, erased] = await eventsOf(walletId)
  t.deepEqual([created], before)
  t.like(erased, { type: 'PersonalDataErased', data: { walletId, keysBefore: 2, reason: 'data_subject_request' } })
  t.is(await keys.open(walletId, 'name', (created!.data as { name: Sealed }).name), undefined)
  t.deepEqual(keysOf(walletId), ['2'])
  t.is((await erase(walletId, { key: 'once' })).status, 200)
  t.is((await eventsOf(walletId)).length, 2)
  t.deepEqual(keysOf(walletId), ['2'])
})

test('a reason is a code; who asks is an operator, or a client of the wallet by an intent', async (t) => {
  const { app, create, erase, eventsOf } = await start(t)
  const walletId = await create()
  t.is((await erase(walletId, { body: { reason: 'Ada has asked for it' } })).json.code, 'validation_failed')
  t.is((await erase(randomUUID())).json.code, 'wallet_not_found')
  const stranger = `Bearer ${await app.token({ tenant: 'other', roles: ['operator'] })}`
  t.is((await erase(walletId, { authorization: stranger })).json.code, 'wallet_not_found')
  const reader = `Bearer ${await app.token({ roles: ['auditor'] })}`
  t.is((await erase(walletId, { authorization: reader })).status, 403)
  const owner = `Bearer ${await app.token({ roles: ['client'] })}`
  t.is((await erase(walletId, { authorization: owner })).json.code, 'intent_missing')
  t.is((await eventsOf(walletId)).length, 1)
  const [path, body] = [`/v1/wallets/${walletId}/erase`, JSON.stringify(REASON)]
  const { intent } = client.authorise({ method: 'POST', path, body })
  t.is((await app.call('POST', path, { body, headers: { 'quorate-intent': intent! }, authorization: owner })).status, 200)
})

test('nothing is erased while parties are to be shown requests of transfers, and no keys pile up', async (t) => {
  const { commandOf, create, erase, eventsOf, fund, keysOf } = await start(t)
  const walletId = await create()
  await fund(walletId)
  await commandOf(walletId, request('t'))
  for (let times = 0; times < 3; times++) t.is((await erase(walletId)).json.code, 'transfers_under_way')
  t.deepEqual(keysOf(walletId), ['1'])
  const erasure = { type: 'ErasePersonalData', keysBefore: 2, reason: 'account_closed' } as const
  await t.throwsAsync(commandOf(walletId, erasure), { code: 'transfers_under_way' })
  const authorisation = { method: 'POST', path: '/', body: '{}', intent: null }
  await commandOf(walletId, { type: 'CancelTransfer', transferId: 't', maxFee: null, by: 'client', authorisation })
  t.is((await erase(walletId)).status, 200)
  t.is((await eventsOf(walletId)).at(-1)?.type, 'PersonalDataErased')
})

test('an erasure that was written down when its process died is completed by the next that reads of it', async (t) => {
  const died = new Error('the process died')
  const { create, erase, eventsOf, keys, keysOf } = await start(t, (real) => ({ ...real, eraseBefore: () => Promise.reject(died) }))
  const walletId = await create()
  t.is((await erase(walletId)).status, 500)
  const [created, erased] = await eventsOf(walletId)
  t.deepEqual(keysOf(walletId), ['1', '2'])
  for (let times = 0; times < 2; times++) await erasureProcess({ dataKeys: keys }).react(erased!)
  t.deepEqual(keysOf(walletId), ['2'])
  t.is(await keys.open(walletId, 'name', (created!.data as { name: Sealed }).name), undefined)
})

test('what was about to be written when its key was erased is sealed anew, under the key after it', async (t) => {
  let meanwhile: (() => Promise<unknown>) | undefined
  const { commandOf, create, erase, eventsOf, keys } = await start(t, (real) => ({
    ...real,
    async seal(...args) {
      const sealed = await real.seal(...args)
      const first = meanwhile
      meanwhile = undefined
      await first?.()
      return sealed
    },
  }))
  const walletId = await create()
  meanwhile = () => erase(walletId)
  await commandOf(walletId, { type: 'Freeze', reason: 'later' })
  const events = await eventsOf(walletId)
  t.deepEqual(
    events.map(({ type }) => type),
    ['WalletCreated', 'PersonalDataErased', 'WalletFrozen'],
  )
  const { reason } = events.at(-1)!.data as { reason: Sealed }
  t.true(isSealed(reason))
  t.is(await keys.open(walletId, 'reason', reason), '"later"')
})
