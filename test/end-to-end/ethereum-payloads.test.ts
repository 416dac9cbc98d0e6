import test from 'ava'
import { signIntent } from '../../scripts/client/intent.ts'
import { startTestSystem, type TestSystem } from './system.ts'

type Answer = { status: number; code?: string; errors?: { pointer: string }[]; sessionId: string }

let system: TestSystem
test.before(async () => {
  system = await startTestSystem()
})
test.after.always(() => system?.stop())

async function ask(keyId: string, payload: object): Promise<Answer> {
  const path = `/v1/keys/${keyId}/signatures`
  const body = Buffer.from(JSON.stringify({ payload }))
  const answer = await fetch(system.dev.baseUrl + path, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${system.dev.token}`,
      'content-type': 'application/json',
      'quorate-intent': await signIntent(system.dev, 'POST', path, body),
    },
  })
  return { ...((await answer.json()) as Answer), status: answer.status }
}

const personal = { kind: 'eip191', encoding: 'utf8', data: 'hello world' }
const mail = {
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}

test.serial('what Ethereum has people sign is signed by no key of another scheme', async (t) => {
  const key = await system.client.generateKey(await system.client.createWallet('other'), 'frost-secp256k1-tr', 2, 3)
  for (const payload of [personal, { kind: 'eip712', typedData: mail }])
    t.like(await ask(key.keyId, payload), { status: 422, code: 'payload_not_supported', errors: [{ pointer: '/payload/kind' }] })
  t.like(await ask(key.keyId, { kind: 'eip712', typedData: [] }), { status: 422, errors: [{ pointer: '/payload/typedData' }] })
})
