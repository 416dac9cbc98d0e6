import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import type { SessionView } from '../../scripts/client/client.ts'
import { signIntent } from '../../scripts/client/intent.ts'
import { policyDigest } from '../../scripts/client/policy-digest.ts'
import { verifySignature } from '../../scripts/client/verify.ts'
import { system } from './shared-system.ts'

for (const scheme of ['frost-ed25519', 'frost-secp256k1-tr'] as const satisfies readonly Scheme[]) {
  for (const [threshold, parties] of [
    [1, 1],
    [2, 3],
    [3, 5],
  ] as const) {
    test.serial(`a ${threshold}-of-${parties} ${scheme} key signs, and others can verify it`, async (t) => {
      const { client } = system
      const key = await client.generateKey(await client.createWallet('first'), scheme, threshold, parties, {})
      t.like(key, { status: 'active' })
      t.is(key.parties.length, parties)
      const message = Buffer.concat([Buffer.alloc(2), randomBytes(40)])
      const { sessionId } = await client.requestSignature(key.keyId, { kind: 'message', encoding: 'hex', data: message.toString('hex') })
      const session = await client.session(sessionId)
      t.like(session, { status: 'signed' })
      t.is(session.signers.length, threshold)
      t.true(verifySignature(scheme, key.publicKey, message, session.signature))
      t.false(verifySignature(scheme, key.publicKey, Buffer.concat([message, Buffer.alloc(1)]), session.signature))
    })
  }
}

test.serial('a key is bound to the policy that its client names, or not made', async (t) => {
  const { client, dev } = system
  const walletId = await client.createWallet('bound')
  const key = await client.generateKey(walletId, 'frost-ed25519', 2, 3, {})
  t.is(key.policyDigest, policyDigest({ walletId, clientKeys: [{ ...dev.publicJwk, kid: dev.kid }] }))
  await t.throwsAsync(client.generateKey(walletId, 'frost-ed25519', 2, 3, { rawDigests: true }), { message: /^403 .*request_mismatch/ })
})

for (const scheme of ['frost-ed25519', 'frost-secp256k1-tr'] as const)
  test.serial(`the ${scheme} key at a path is known before anything is signed with it`, async (t) => {
    const { client, dev } = system
    const { keyId, publicKey } = await client.generateKey(await client.createWallet('derived'), scheme, 2, 3)
    const at = await client.publicKey(keyId, 'm/0/5')
    t.not(at, publicKey)
    t.not(at, await client.publicKey(keyId, 'm/0/6'))
    const message = randomBytes(32)
    const sign = async (path?: string) => {
      const { sessionId } = await client.requestSignature(keyId, { kind: 'message', encoding: 'hex', data: message.toString('hex') }, path)
      return (await client.session(sessionId)).signature
    }
    t.true(verifySignature(scheme, at, message, await sign('m/0/5')))
    t.true(verifySignature(scheme, await client.publicKey(keyId, 'm'), message, await sign()))

    const ask = async (query: string) => {
      const response = await fetch(`${dev.baseUrl}/v1/keys/${keyId}/public-key${query}`, {
        headers: { authorization: `Bearer ${dev.token}` },
      })
      return { status: response.status, ...((await response.json()) as { code?: string; path?: string; publicKey?: string }) }
    }
    t.like(await ask(''), { status: 200, path: 'm', publicKey: await client.publicKey(keyId, 'm') })
    for (const path of ["m/0'", 'm/2147483648', 'm/00', 'm/', '0/5', '', 'm/-1', 'm/1.5', 'm/0/0/0/0/0/0/0/0/0/0/0'])
      t.like(await ask(`?path=${encodeURIComponent(path)}`), { status: 422, code: 'path_invalid' }, path)
  })

test.serial('the same command racing itself makes one session and one signature', async (t) => {
  const { client, dev } = system
  const walletId = await client.createWallet('race')
  const { keyId } = await client.generateKey(walletId, 'frost-ed25519', 2, 3)
  const idempotencyKey = randomUUID()
  const send = async (data: string) => {
    const path = `/v1/keys/${keyId}/signatures`
    const body = Buffer.from(JSON.stringify({ payload: { kind: 'message', encoding: 'utf8', data } }))
    return fetch(dev.baseUrl + path, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${dev.token}`,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
        'quorate-intent': await signIntent(dev, 'POST', path, body),
      },
    })
  }
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('once')))
  t.deepEqual(
    [...new Set(answers.map(({ status }) => status))].filter((status) => status !== 409),
    [202],
  )
  const accepted = answers.filter(({ status }) => status === 202)
  const ids = new Set(await Promise.all(accepted.map(async (answer) => ((await answer.json()) as SessionView).sessionId)))
  t.is(ids.size, 1)
  const again = await send('once')
  t.deepEqual([again.status, ((await again.json()) as SessionView).sessionId], [202, [...ids][0]])
  t.is((await send('something else')).status, 422)

  await client.session([...ids][0] as string)
  const history = await client.get<{ items: { type: string }[] }>(
    `/v1/wallets/${walletId}/history?minPosition=${again.headers.get('quorate-position')}`,
  )
  t.is(history.items.filter(({ type }) => type === 'SigningRequested').length, 1)
  t.is(history.items.filter(({ type }) => type === 'SignatureProduced').length, 1)
})

test.serial('a read that names the position of a command sees what the command did', async (t) => {
  const { client, dev } = system
  for (let i = 0; i < 20; i++) {
    const created = await fetch(`${dev.baseUrl}/v1/wallets`, {
      method: 'POST',
      body: JSON.stringify({ name: `wallet ${i}`, clientKeys: [{ ...dev.publicJwk, kid: dev.kid }] }),
      headers: { authorization: `Bearer ${dev.token}`, 'content-type': 'application/json' },
    })
    const { walletId } = (await created.json()) as { walletId: string }
    const position = created.headers.get('quorate-position')
    t.like(await client.get(`/v1/wallets/${walletId}?minPosition=${position}`), { walletId, name: `wallet ${i}` })
  }
})

test.serial('the log alone tells what the read models tell, now and at an earlier moment', async (t) => {
  const { client } = system
  const walletId = await client.createWallet('replayed')
  const key = await client.generateKey(walletId, 'frost-secp256k1-tr', 2, 3)
  const before = JSON.parse(await system.run('replay', '--wallet', walletId))
  const { sessionId } = await client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: 'x' })
  const session = await client.session(sessionId)

  const after = JSON.parse(await system.run('replay', '--wallet', walletId))
  t.like(after, { wallet: { name: 'replayed', keyIds: [key.keyId] }, keys: { 0: { publicKey: key.publicKey, status: 'active' } } })
  t.like(after.sessions[0], { sessionId, status: 'signed', signature: session.signature })
  t.not(after.digest, before.digest)

  const then = JSON.parse(await system.run('replay', '--wallet', walletId, '--as-of', before.position))
  t.deepEqual({ ...then, asOf: undefined }, { ...before, asOf: undefined })
  t.deepEqual(then.sessions, [])
})

test.serial('what belongs to another tenant does not exist, on any route', async (t) => {
  const { client, dev } = system
  const walletId = await client.createWallet('mine')
  const { keyId } = await client.generateKey(walletId, 'frost-ed25519', 2, 3)
  const { sessionId } = await client.requestSignature(keyId, { kind: 'message', encoding: 'utf8', data: 'x' })
  await client.session(sessionId)
  const token = (await system.run('token', '--tenant', 'acme', '--roles', 'client,auditor,operator,approver')).trim()
  const ask = (method: string, path: string, body?: object) =>
    fetch(dev.baseUrl + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  const payload = { kind: 'message', encoding: 'utf8', data: 'x' }
  const answers = await Promise.all([
    ask('GET', `/v1/wallets/${walletId}`),
    ask('GET', `/v1/wallets/${walletId}/history`),
    ask('GET', `/v1/wallets/${walletId}/keys`),
    ask('GET', `/v1/keys/${keyId}`),
    ask('GET', `/v1/signing-sessions/${sessionId}`),
    ask('POST', `/v1/wallets/${walletId}/keys`, { scheme: 'frost-ed25519', threshold: 1, parties: 1 }),
    ask('POST', `/v1/wallets/${walletId}/policy`, { policy: { rawDigests: true } }),
    ask('POST', `/v1/wallets/${walletId}/freeze`, {}),
    ask('POST', `/v1/wallets/${walletId}/unfreeze`, {}),
    ask('POST', `/v1/keys/${keyId}/signatures`, { payload }),
    ask('POST', `/v1/keys/${keyId}/revoke`, {}),
    ask('POST', `/v1/signing-sessions/${sessionId}/cancel`, {}),
    ask('POST', `/v1/signing-sessions/${sessionId}/approvals`, { decision: 'approve' }),
  ])
  t.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 404),
  )
  t.is((await ask('GET', '/v1/parties')).status, 403)
})

test.serial('a frozen wallet and a revoked key sign nothing, and a bare digest needs a policy', async (t) => {
  const { client, dev } = system
  const walletId = await client.createWallet('strict')
  const { keyId } = await client.generateKey(walletId, 'frost-ed25519', 2, 3)
  const post = async (path: string, body: object) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const intent = await signIntent(dev, 'POST', path, bytes)
    const answer = await fetch(dev.baseUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${dev.token}`, 'content-type': 'application/json', 'quorate-intent': intent },
      body: bytes,
    })
    return { status: answer.status, ...((await answer.json()) as { code?: string; sessionId?: string }) }
  }
  const digest = { payload: { kind: 'digest', data: 'ab'.repeat(32) } }
  const message = { payload: { kind: 'message', encoding: 'utf8', data: 'x' } }
  t.like(await post(`/v1/keys/${keyId}/signatures`, digest), { status: 422, code: 'raw_digest_not_allowed' })
  t.like(await post(`/v1/wallets/${walletId}/policy`, { policy: { rawDigests: true } }), { status: 202 })
  const allowed = await post(`/v1/keys/${keyId}/signatures`, digest)
  t.like(await client.session(allowed.sessionId as string), { status: 'signed' })
  t.like(await post(`/v1/wallets/${walletId}/freeze`, {}), { status: 202 })
  t.like(await post(`/v1/keys/${keyId}/signatures`, message), { status: 409, code: 'wallet_frozen' })
  t.like(await post(`/v1/wallets/${walletId}/unfreeze`, {}), { status: 202 })
  t.like(await post(`/v1/keys/${keyId}/revoke`, {}), { status: 202 })
  t.like(await post(`/v1/keys/${keyId}/signatures`, message), { status: 409, code: 'key_not_active' })
})
