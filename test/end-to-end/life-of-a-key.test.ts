import { randomBytes, randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { KeyView } from '../../scripts/client/client.ts'
import { signIntent } from '../../scripts/client/intent.ts'
import { verifySignature } from '../../scripts/client/verify.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

const SCHEME = 'frost-secp256k1-tr'

let system: TestSystem
let walletId: string
test.before(async () => {
  system = await startTestSystem()
  walletId = await system.client.createWallet('life')
})
test.after.always(() => system?.stop())

async function signs(key: KeyView): Promise<boolean> {
  const message = randomBytes(40)
  const { sessionId } = await system.client.requestSignature(key.keyId, { kind: 'message', encoding: 'hex', data: message.toString('hex') })
  const { signature } = await system.client.session(sessionId)
  return verifySignature(SCHEME, key.publicKey, message, signature)
}

const sharesOf = (party: string, { keyId }: KeyView) => join(system.dataDir, 'parties', party, 'shares', keyId)
const filesOf = (party: string, key: KeyView) => readdir(sharesOf(party, key)).catch(() => [])
const kept = (key: KeyView, file: string) =>
  until(async () => (await Promise.all(key.parties.map((id) => filesOf(id, key)))).every((files) => files.join() === file), file)

/** A command as a client sends it; its status, and the code of its problem if it has one. */
async function send(path: string, body: object, idempotencyKey = randomUUID()): Promise<{ status: number; code?: string }> {
  const { dev } = system
  const bytes = Buffer.from(JSON.stringify(body))
  const response = await fetch(dev.baseUrl + path, {
    method: 'POST',
    body: bytes,
    headers: {
      authorization: `Bearer ${dev.token}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
      'quorate-intent': await signIntent(dev, 'POST', path, bytes),
    },
  })
  const { code } = (await response.json()) as { code?: string }
  return { status: response.status, ...(code === undefined ? {} : { code }) }
}

test.serial('a key is refreshed, a share of it lost and recovered, and in the end it is revoked', async (t) => {
  const { client } = system
  const key = await client.generateKey(walletId, SCHEME, 2, 3)
  t.like(key, { status: 'active', epoch: 1 })

  const refreshed = await client.refreshKey(key.keyId)
  t.like(refreshed, { status: 'active', epoch: 2, publicKey: key.publicKey })
  await kept(key, 'epoch-2-attempt-1.json')
  t.true(await signs(refreshed))

  const [unlucky] = key.parties as [string]
  await rm(sharesOf(unlucky, key), { recursive: true })
  const recovered = await client.recoverShare(key.keyId, unlucky)
  t.like(recovered, { status: 'active', epoch: 2, recovery: { partyId: unlucky, status: 'recovered' } })
  await kept(key, 'epoch-2-attempt-1.json')
  t.true(await signs(recovered))

  t.is((await client.revokeKey(key.keyId)).status, 'revoked')
  await kept(key, 'revoked')
  t.deepEqual(await send(`/v1/keys/${key.keyId}/refresh`, {}), { status: 409, code: 'key_not_active' })
})

test.serial('what cannot be refreshed or recovered is refused with its code, and the same command is one refresh', async (t) => {
  const { client } = system
  const ofOne = await client.generateKey(walletId, SCHEME, 1, 2)
  t.deepEqual(await send(`/v1/keys/${ofOne.keyId}/refresh`, {}), { status: 409, code: 'threshold_of_one' })
  const ofAll = await client.generateKey(walletId, SCHEME, 2, 2)
  t.deepEqual(await send(`/v1/keys/${ofAll.keyId}/recover`, { party: ofAll.parties[0] }), { status: 409, code: 'too_few_holders' })
  t.deepEqual(await send(`/v1/keys/${ofAll.keyId}/recover`, { party: 'nobody' }), { status: 422, code: 'party_not_a_holder' })
  t.deepEqual(await send(`/v1/keys/${ofAll.keyId}/recover`, {}), { status: 422, code: 'validation_failed' })
  t.deepEqual(await send(`/v1/keys/${randomUUID()}/refresh`, {}), { status: 404, code: 'key_not_found' })

  const idempotencyKey = randomUUID()
  for (let time = 0; time < 2; time++) t.is((await send(`/v1/keys/${ofAll.keyId}/refresh`, {}, idempotencyKey)).status, 202)
  const view = await client.get<KeyView>(`/v1/keys/${ofAll.keyId}`, { waitSeconds: 30 })
  await kept(ofAll, 'epoch-2-attempt-1.json')
  t.is((await send(`/v1/keys/${ofAll.keyId}/refresh`, {}, idempotencyKey)).status, 202)
  t.is((await client.get<KeyView>(`/v1/keys/${ofAll.keyId}`, { waitSeconds: 30 })).epoch, 2, JSON.stringify(view))
})
