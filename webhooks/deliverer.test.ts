import { createPublicKey, randomUUID, verify } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { until } from '../audit/testing/audited-log.ts'
import { startDeliveries } from './testing/deliveries.ts'
import { startReceiver } from './testing/receiver.ts'

const idsOf = (received: readonly { event: { id: string } }[]) => received.map(({ event }) => event.id)
const TYPES = ['WalletFrozen', 'WalletUnfrozen']

test('events of the tenant arrive once, signed, in the order of the log', async (t) => {
  const { deliver, register, append, key } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  const webhookId = await register(receiver.url, { types: TYPES })
  const running = deliver()
  const wallets = [randomUUID(), randomUUID()] as const
  const expected = [await append(wallets[0], 30), await append(wallets[1], 30)]
  await append(randomUUID(), 3, 'other')
  await receiver.until(({ length }) => length >= 60)
  for (const [index, walletId] of wallets.entries())
    t.deepEqual(idsOf(receiver.received.filter(({ event }) => event.data.walletId === walletId)), expected[index])
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.publicKey).toString('base64url') },
    format: 'jwk',
  })
  for (const { headers, body, event } of receiver.received) {
    t.is(headers['webhook-id'], event.id)
    const [version, signature] = String(headers['webhook-signature']).split(',')
    t.is(version, 'v1a')
    const content = Buffer.from(`${event.id}.${headers['webhook-timestamp']}.${body}`)
    t.true(verify(null, content, publicKey, Buffer.from(signature!, 'base64')))
    t.is(event.subject, `wallet-${event.data.walletId}`)
  }
  t.true(receiver.received.every(({ event }) => event.tenant === 'acme'))
  t.is(running.load().webhooks, 1)
  await running.stop()
  t.deepEqual(running.failures, [])
  t.is(receiver.received.length, 60, webhookId)
})

test('what fails is tried again, holds back its own stream alone, and is told in the delivery log', async (t) => {
  const { deliver, register, append, records } = await startDeliveries(t)
  const [bad, good] = [randomUUID(), randomUUID()] as const
  const receiver = await startReceiver(t, ({ event }) => (event.data.walletId === bad ? 500 : 200))
  const webhookId = await register(receiver.url, { types: TYPES })
  const running = deliver({ retries: { waitsMs: [50], giveUpAfterMs: 60_000, disableAfterMs: 60_000 } })
  const first = await append(bad, 5)
  await receiver.until(({ length }) => length >= 2)
  const second = await append(good, 5)
  await receiver.until((received) => second.every((id) => idsOf(received).includes(id)))
  t.true(idsOf(receiver.received).every((id) => id === first[0] || second.includes(id)))
  receiver.reply(() => 200)
  await receiver.until((received) => idsOf(received).includes(first[4]!))
  t.deepEqual(idsOf(receiver.received.slice(-5)), first)
  await running.stop()
  const attempts = (await records.readAttempts(webhookId)).filter(({ eventId }) => eventId === first[0])
  t.like(attempts[0], { attempt: 1, status: 'retrying', responseStatus: 500, code: 'refused' })
  t.truthy(attempts[0]!.nextAttemptAt)
  t.like(attempts.at(-1), { attempt: attempts.length, status: 'delivered', responseStatus: 200, code: null, nextAttemptAt: null })
})

test('a delivery that goes on failing is given up, and the next of its stream is sent', async (t) => {
  const { deliver, register, append, records } = await startDeliveries(t)
  const receiver = await startReceiver(t, ({ event }) => (event.type === 'WalletFrozen' ? 400 : 200))
  const webhookId = await register(receiver.url, { types: TYPES })
  const running = deliver()
  const [given, next] = await append(randomUUID(), 2)
  await receiver.until((received) => idsOf(received).includes(next!))
  await running.stop()
  const attempts = await records.readAttempts(webhookId)
  t.is(attempts.filter(({ eventId }) => eventId === given).at(-1)!.status, 'failed')
  t.is(attempts.at(-1)!.status, 'delivered')
})

test('whoever starts again goes on where the last one was, and delivers nothing twice that was stored', async (t) => {
  const { deliver, register, append } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  await register(receiver.url, { types: TYPES })
  const walletId = randomUUID()
  const expected: string[] = []
  for (let round = 0; round < 3; round++) {
    const running = deliver()
    expected.push(...(await append(walletId, 20)))
    await receiver.until(({ length }) => length >= expected.length)
    await running.stop()
    expected.push(...(await append(walletId, 5)))
  }
  deliver()
  await receiver.until(({ length }) => length >= expected.length)
  t.deepEqual(idsOf(receiver.received), expected)
})

test('several instances share the work, and none of it is lost', async (t) => {
  const { deliver, register, append } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  await register(receiver.url, { types: TYPES })
  const running = [deliver(), deliver(), deliver()]
  const expected: string[] = []
  for (let round = 0; round < 10; round++) {
    expected.push(...(await append(randomUUID(), 10)))
    await receiver.until((received) => new Set(idsOf(received)).size === expected.length)
  }
  t.true(receiver.received.length <= expected.length * 1.5, `${receiver.received.length} for ${expected.length}`)
  t.deepEqual(
    running.flatMap(({ failures }) => failures),
    [],
  )
})

test('of several instances that have nothing else to do one alone sends an event', async (t) => {
  const { deliver, register, append, records } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  const webhookId = await register(receiver.url, { types: TYPES })
  const claimMs = 2_000
  for (let instance = 0; instance < 3; instance++) deliver({ claimMs })
  const expected: string[] = []
  for (let round = 0; round < 2; round++) {
    expected.push(...(await append(randomUUID(), 1)))
    await receiver.until((received) => idsOf(received).includes(expected.at(-1)!))
    await until(async () => (await records.readProgress(webhookId))?.progress.claim === null)
    // Whoever was not first comes back when the claim has passed.
    await delay(1.2 * claimMs)
  }
  t.deepEqual(idsOf(receiver.received), expected)
})

test('a webhook is left alone while another instance has it, and taken over when that is heard of no more', async (t) => {
  const { deliver, register, append, records } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  const webhookId = await register(receiver.url, { types: TYPES })
  const [lost, next] = await append(randomUUID(), 2)
  const until = Date.now() + 1_000
  const progress = { claim: { owner: 'gone', until }, through: '0', failingSince: null, leftAloneUntil: 0, waiting: [], resends: {} }
  await records.writeProgress(webhookId, progress, undefined)
  deliver()
  await receiver.until(({ length }) => length === 2)
  t.true(Date.now() >= until)
  t.deepEqual(idsOf(receiver.received), [lost, next])
})

test('a claim lasts no longer than claims do, whatever the clock of who made it said', async (t) => {
  const { deliver, register, append, records } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  const webhookId = await register(receiver.url, { types: TYPES })
  const claim = { owner: 'ahead', until: Date.now() + 3_600_000 }
  await records.writeProgress(
    webhookId,
    { claim, through: '0', failingSince: null, leftAloneUntil: 0, waiting: [], resends: {} },
    undefined,
  )
  deliver({ claimMs: 300 })
  const expected = await append(randomUUID(), 1)
  await receiver.until(({ length }) => length === 1)
  t.deepEqual(idsOf(receiver.received), expected)
})

test('nothing is stored for a receiver that is left alone, except for how long', async (t) => {
  const { deliver, register, append, records } = await startDeliveries(t)
  const receiver = await startReceiver(t, () => ({ status: 429, headers: { 'retry-after': '3600' } }))
  const webhookId = await register(receiver.url, { types: TYPES })
  deliver()
  await append(randomUUID(), 1)
  await until(async () => ((await records.readProgress(webhookId))?.progress.leftAloneUntil ?? 0) > Date.now() + 3_000_000)
  await until(async () => (await records.readProgress(webhookId))?.progress.claim === null)
  const stored = await records.readProgress(webhookId)
  // Longer than it would take to make a claim anew.
  await delay(1_200)
  t.is((await records.readProgress(webhookId))?.revision, stored?.revision)
  t.is(receiver.received.length, 1)
})

test('a resend that was cut off goes on with the event that it was at, and counts its attempts on', async (t) => {
  const { deliver, register, append, command, records } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  const webhookId = await register(receiver.url, { types: TYPES })
  const retries = { waitsMs: [50], giveUpAfterMs: 60_000, disableAfterMs: 60_000 }
  const running = deliver({ retries })
  const [eventId] = await append(randomUUID(), 1)
  await until(async () => (await records.readAttempts(webhookId)).length === 1)
  receiver.reply(() => 500)
  const resendId = randomUUID()
  const asked = { resendId, from: null, to: new Date().toISOString(), types: null, status: 'delivered', eventId: eventId! } as const
  await command(webhookId, { type: 'RequestResend', ...asked })
  await receiver.until(({ length }) => length >= 3)
  await running.stop()
  receiver.reply(() => 200)
  deliver({ retries })
  const ofResend = async () => (await records.readAttempts(webhookId)).filter((attempt) => attempt.resendId === resendId)
  await until(async () => (await ofResend()).at(-1)?.status === 'delivered')
  const numbers = (await ofResend()).map(({ attempt }) => attempt)
  t.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  )
})

test('410 disables at once; enabled again, it goes on with what was refused', async (t) => {
  const { deliver, register, append, state, command } = await startDeliveries(t)
  const receiver = await startReceiver(t, () => 410)
  const webhookId = await register(receiver.url, { types: TYPES })
  deliver()
  const expected = await append(randomUUID(), 3)
  await until(async () => (await state(webhookId)).status === 'disabled')
  t.like(await state(webhookId), { reason: 'gone' })
  t.deepEqual(idsOf(receiver.received), expected.slice(0, 1))
  receiver.reply(() => 200)
  await command(webhookId, { type: 'Enable' })
  await receiver.until((received) => received.length >= 4)
  t.deepEqual(idsOf(receiver.received.slice(1)), expected)
})

test('a receiver that takes nothing for too long is disabled', async (t) => {
  const { deliver, register, append, state } = await startDeliveries(t)
  const receiver = await startReceiver(t, () => 500)
  const webhookId = await register(receiver.url, { types: TYPES })
  deliver({ retries: { waitsMs: [50], giveUpAfterMs: 10_000, disableAfterMs: 300 } })
  await append(randomUUID(), 1)
  await until(async () => (await state(webhookId)).status === 'disabled')
  t.like(await state(webhookId), { reason: 'failing' })
})

test('enabled after it has failed for long, it begins anew: at once, and with all its patience', async (t) => {
  const { deliver, register, append, state, command } = await startDeliveries(t)
  const receiver = await startReceiver(t, () => 500)
  const webhookId = await register(receiver.url, { types: TYPES })
  deliver({ retries: { waitsMs: [50, 3_600_000], giveUpAfterMs: 60_000, disableAfterMs: 20 } })
  const [id] = await append(randomUUID(), 1)
  await until(async () => (await state(webhookId)).status === 'disabled')
  const begun = receiver.received.length
  receiver.reply(() => (receiver.received.length === begun + 1 ? 500 : 200))
  await command(webhookId, { type: 'Enable' })
  await receiver.until(({ length }) => length === begun + 2)
  t.is((await state(webhookId)).status, 'enabled')
  t.is(receiver.received.at(-1)!.event.id, id)
})

test('Retry-After is heeded', async (t) => {
  const { deliver, register, append } = await startDeliveries(t)
  const receiver = await startReceiver(t, () => ({ status: 429, headers: { 'retry-after': '1' } }))
  await register(receiver.url, { types: TYPES })
  deliver()
  await append(randomUUID(), 1)
  await receiver.until(({ length }) => length === 1)
  receiver.reply(() => 200)
  await receiver.until(({ length }) => length === 2)
  const [first, second] = receiver.received.map(({ headers }) => Number(headers['webhook-timestamp']))
  t.true(second! - first! >= 1)
})

test('a receiver that hangs delays no other', async (t) => {
  const { deliver, register, append } = await startDeliveries(t)
  const hanging = await startReceiver(t, () => 'silence')
  const other = await startReceiver(t)
  await register(hanging.url, { types: TYPES })
  await register(other.url, { types: TYPES })
  deliver()
  for (let n = 0; n < 20; n++) await append(randomUUID(), 2)
  await other.until(({ length }) => length === 40)
  t.true(hanging.received.length > 0)
})

test('what is asked for is sent once more, with the same ids', async (t) => {
  const { deliver, register, append, command, state, records } = await startDeliveries(t)
  const receiver = await startReceiver(t)
  const walletId = randomUUID()
  const before = await append(walletId, 4)
  const webhookId = await register(receiver.url, { types: TYPES })
  deliver()
  const after = await append(walletId, 2)
  await receiver.until(({ length }) => length === 2)
  const ask = async (asked: object, expected: readonly string[]) => {
    const resendId = randomUUID()
    const begun = receiver.received.length
    const all = { from: null, to: new Date().toISOString(), types: null, status: null, eventId: null }
    await command(webhookId, { type: 'RequestResend', resendId, ...all, ...asked })
    await until(async () => {
      const { status, resends } = (await state(webhookId)) as { status: string; resends: readonly object[] }
      return status === 'enabled' && resends.length === 0
    })
    t.deepEqual(idsOf(receiver.received.slice(begun)), expected)
    return resendId
  }
  await ask({ from: '0' }, [...before, ...after])
  await ask({ from: '0', types: ['WalletFrozen'] }, [before[0]!, before[2]!, after[0]!])
  await ask({ eventId: before[1] }, [before[1]!])
  const resendId = await ask({ status: 'delivered', eventId: after[1] }, [after[1]!])
  t.true((await records.readAttempts(webhookId)).some((attempt) => attempt.resendId === resendId && attempt.eventId === after[1]))
})

test('a test is sent whatever is filtered, to the webhook that it is of', async (t) => {
  const { deliver, register, command } = await startDeliveries(t)
  const [receiver, other] = [await startReceiver(t), await startReceiver(t)]
  const webhookId = await register(receiver.url, { types: ['TransferConfirmed'] })
  await register(other.url)
  deliver()
  await command(webhookId, { type: 'RequestTest' })
  await receiver.until(({ length }) => length === 1)
  t.like(receiver.received[0]!.event, { type: 'WebhookTestRequested', subject: `webhook-${webhookId}` })
  t.false(other.received.some(({ event }) => event.type === 'WebhookTestRequested'))
})

test('while a receiver is away the memory taken for it is bounded, and everything arrives when it is back', async (t) => {
  const { deliver, register, append } = await startDeliveries(t)
  const receiver = await startReceiver(t, () => 503)
  await register(receiver.url, { types: TYPES })
  const running = deliver({ retries: { waitsMs: [100], giveUpAfterMs: 60_000, disableAfterMs: 60_000 } })
  const walletId = randomUUID()
  const expected = [await append(walletId, 1)]
  await receiver.until(({ length }) => length >= 3)
  for (let n = 0; n < 10; n++) expected.push(await append(walletId, 100))
  for (let n = 0; n < 150; n++) expected.push(await append(randomUUID(), 1))
  await until(async () => running.load().waiting === 100)
  receiver.reply(() => 200)
  const all = expected.flat()
  await receiver.until((received) => new Set(idsOf(received.slice(-2_000))).size >= all.length)
  const taken = idsOf(receiver.received).filter((id, index, ids) => ids.indexOf(id) === index)
  t.deepEqual(taken.toSorted(), all.toSorted())
  await running.stop()
})
