import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { startReceiver } from '../../webhooks/testing/receiver.ts'
import { snippet } from '../snippets.ts'
import { signal, startTestSystem, type TestSystem, until } from './system.ts'

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 2 })
})
test.after.always(() => system?.stop())

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects to find in the answer
async function call(method: string, path: string, body?: object): Promise<any> {
  const { baseUrl, token } = system.dev
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(baseUrl + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return response.json()
}

test.serial(
  'events arrive, signed by a key that is listed; of a deliverer that is killed before it has stored that, once more',
  async (t) => {
    const code = await snippet('webhooks.md', 'js', '## A message')
    const { receive } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
    let kills = 1
    const receiver = await startReceiver(t, () => 200)
    receiver.reply(() => {
      if (kills-- > 0) return 'silence'
      return 200
    })
    const { webhookId } = await call('POST', '/v1/webhooks', { url: receiver.url, types: ['WalletCreated'] })
    const first = await system.client.createWallet('one')
    await receiver.until(({ length }) => length === 1)
    for (const pid of await system.processes(/webhooks\/main\.js/)) signal(pid, 'SIGKILL')
    const second = await system.client.createWallet('two')
    await receiver.until(({ length }) => length >= 3)
    const received = receiver.received.map(({ event }) => event)
    t.deepEqual(received.map(({ subject }) => subject).sort(), [`wallet-${first}`, `wallet-${first}`, `wallet-${second}`].sort())
    t.is(new Set(received.map(({ id }) => id)).size, 2)
    for (const { headers, body } of receiver.received)
      t.like(await receive(headers, body, `${system.dev.baseUrl}/.well-known/jwks.json`), { type: 'WalletCreated' })
    t.false(receiver.received.some(({ body }) => body.includes('"one"')))

    const deliveries = () => call('GET', `/v1/webhooks/${webhookId}/deliveries?status=delivered`)
    const { items } = await until(async () => {
      const page = await deliveries()
      return page.items?.length === 2 && page
    }, 'the delivery log')
    t.like(items[0].attempts.at(-1), { responseStatus: 200, code: null })
    const { resendId } = await call('POST', `/v1/webhooks/${webhookId}/resend`, { eventId: received[0].id, from: '2026-01-01' })
    t.truthy(resendId)
    await receiver.until(({ length }) => length === 4)
    t.is(receiver.received.at(-1)?.headers['webhook-id'], received[0].id)
    const metrics = await (await fetch(`${system.dev.baseUrl}/metrics`)).text()
    t.regex(metrics, /^quorate_webhook_deliverers 1$/m)
  },
)

test.serial('the change feed tells of every document that changes, to the consumer of the documentation', async (t) => {
  const code = await snippet('streams.md', 'js', '## Change feed')
  const { nats } = JSON.parse(await (await import('node:fs/promises')).readFile(join(system.dataDir, 'endpoints.json'), 'utf8'))
  const root = join(import.meta.dirname, '../../..')
  const consumer = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: root,
    env: { ...process.env, QUORATE_NATS_URL: nats },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => consumer.kill())
  const lines: string[] = []
  createInterface(consumer.stdout).on('line', (line) => lines.push(line))
  await until(async () => {
    await system.client.createWallet('fed')
    return lines.length > 0
  }, 'the consumer to listen')
  const walletId = await system.client.createWallet('fed')
  await until(async () => lines.some((line) => line.includes(walletId)), 'the change')
  t.regex(lines.find((line) => line.includes(walletId)) ?? '', /^wallets [\da-f-]{36} \d+$/)
})
