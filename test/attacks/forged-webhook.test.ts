import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { publicSigningKey } from '../../adapters/identity/webhook-keys.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import { messageSigner } from '../../webhooks/signed-message.ts'
import { snippet } from '../snippets.ts'

type Headers = { readonly [name: string]: string }
type Receive = (headers: Headers, body: string, jwksUrl: string) => Promise<object>

const ID = '0a8ad2b5-5be1-5f3e-8e1b-0c4f3ad0c8d1'
const BODY = '{"specversion":"1.0","amount":"1"}'

async function receiver(t: ExecutionContext, keys: readonly Identity[]) {
  const document = JSON.stringify({ keys: keys.map(publicSigningKey) })
  const server = createServer((_, response) => response.end(document))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const code = await snippet('webhooks.md', 'js', '## A message')
  const { receive } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { receive: Receive }
  return (headers: Headers, body = BODY) => receive(headers, body, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

test('the receiver of the documentation takes what was sent, and nothing that was altered', async (t) => {
  const key = newIdentity('key')
  const receive = await receiver(t, [newIdentity('older'), key])
  const headers = await messageSigner([key])(ID, BODY, new Date())
  t.deepEqual(await receive(headers), JSON.parse(BODY))
  const refused = (changed: Headers, body?: string) => t.throwsAsync(receive({ ...headers, ...changed }, body), { message: /nobody/ })
  await refused({}, BODY.replace('"1"', '"2"'))
  await refused({}, `${BODY} `)
  await refused({ 'webhook-id': ID.replace('0', '1') })
  await refused({ 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) })
  await refused({ 'webhook-signature': headers['webhook-signature']!.replace('v1a,', 'v1,') })
  await refused(await messageSigner([newIdentity('stranger')])(ID, BODY, new Date()))
})

test('a message that was kept back is refused, however well it is signed', async (t) => {
  const key = newIdentity('key')
  const receive = await receiver(t, [key])
  const sign = messageSigner([key])
  for (const minutes of [-6, 6])
    await t.throwsAsync(async () => receive(await sign(ID, BODY, new Date(Date.now() + minutes * 60_000))), { message: /too old/ })
})

test('while a key is replaced, whoever knows either can tell', async (t) => {
  const [current, previous] = [newIdentity('current'), newIdentity('previous')]
  const headers = await messageSigner([current, previous])(ID, BODY, new Date())
  t.is(headers['webhook-signature']!.split(' ').length, 2)
  for (const known of [current, previous]) t.truthy(await (await receiver(t, [known]))(headers))
})
