import test from 'ava'
import { approvalPath } from '../../domain/authorisation/approvals.ts'
import { requestDigest } from '../../domain/authorisation/request.ts'
import { createSigner, type TestSigner } from '../../domain/authorisation/testing/signer.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

type Answer = {
  status: number
  position: string | null
  code?: string
  walletId: string
  keyId: string
  sessionId: string
  errors?: object[]
}
type Session = { status: string; request?: { method: string; path: string; body: string } }

const [owner, alice, bob, carol] = [
  createSigner('owner', 'P-256'),
  createSigner('alice'),
  createSigner('bob', 'P-256'),
  createSigner('carol'),
]
const message = { payload: { kind: 'message', encoding: 'utf8', data: 'pay nobody' } }
const digest = { payload: { kind: 'digest', data: 'ab'.repeat(32) } }

/** How many parties share each of the keys that are made here. */
const holders = { guarded: 3, scripted: 1, changing: 3, replaced: 3 }

let system: TestSystem
let walletId: string
let keyId: string

async function post(path: string, body: object, signer?: TestSigner, headers: Record<string, string> = {}): Promise<Answer> {
  const { dev } = system
  const text = JSON.stringify(body)
  const intent = signer?.authorise({ method: 'POST', path, body: text }).intent
  const response = await fetch(dev.baseUrl + path, {
    method: 'POST',
    body: text,
    headers: {
      authorization: `Bearer ${dev.token}`,
      'content-type': 'application/json',
      ...(intent ? { 'quorate-intent': intent } : {}),
      ...headers,
    },
  })
  const position = response.headers.get('quorate-position')
  return { ...((await response.json()) as Answer), status: response.status, position }
}

test.before(async () => {
  system = await startTestSystem()
  const approvals = { required: 2, approvers: [alice.key, bob.key] }
  ;({ walletId } = await post('/v1/wallets', { name: 'guarded', clientKeys: [owner.key], policy: { approvals } }))
  ;({ keyId } = await post(`/v1/wallets/${walletId}/keys`, { scheme: 'frost-ed25519', threshold: 2, parties: holders.guarded }, owner))
  await system.client.get(`/v1/keys/${keyId}`, { waitSeconds: 30 })
})

test.after.always(() => system?.stop())

const approve = (sessionId: string, approver: TestSigner, body: object = {}) =>
  post(approvalPath(sessionId), { decision: 'approve', ...body }, approver)

test.serial('without an intent by a client key of the wallet, every command that the parties act on is refused', async (t) => {
  const stranger = createSigner('owner', 'P-256')
  for (const [path, body] of [
    [`/v1/wallets/${walletId}/keys`, { scheme: 'frost-ed25519', threshold: 1, parties: 1 }],
    [`/v1/wallets/${walletId}/policy`, { policy: {} }],
    [`/v1/keys/${keyId}/signatures`, message],
    [`/v1/keys/${keyId}/revoke`, {}],
  ] as const) {
    t.like(await post(path, body), { status: 401, code: 'intent_missing', errors: [{ header: 'Quorate-Intent' }] }, path)
    t.like(await post(path, body, stranger), { status: 401, code: 'intent_signature_invalid' }, path)
    t.like(await post(path, body, alice), { status: 401, code: 'intent_unknown_key' }, path)
    const another = owner.authorise({ method: 'POST', path, body: '{}' }).intent!
    t.like(await post(path, { ...body, reason: 'x' }, undefined, { 'quorate-intent': another }), { code: expected(path) }, path)
  }
  function expected(path: string): string {
    return path.endsWith('/revoke') ? 'intent_body_mismatch' : 'validation_failed'
  }
})

test.serial('an intent that the script prints is taken, for what it was printed for', async (t) => {
  const wallet = await system.client.createWallet('scripted')
  const path = `/v1/wallets/${wallet}/keys`
  const body = { scheme: 'frost-ed25519', threshold: 1, parties: holders.scripted }
  const intent = (await system.run('intent', 'POST', path, JSON.stringify(body))).trim()
  t.like(await post(path, { ...body, parties: 2 }, undefined, { 'quorate-intent': intent }), { status: 403, code: 'intent_body_mismatch' })
  t.like(await post(path, body, undefined, { 'quorate-intent': intent }), { status: 202 })
})

test.serial('a body with a name that stands twice is refused', async (t) => {
  const { dev } = system
  const response = await fetch(`${dev.baseUrl}/v1/keys/${keyId}/signatures`, {
    method: 'POST',
    body: JSON.stringify(message).replace('"data"', '"data":"pay me","data"'),
    headers: { authorization: `Bearer ${dev.token}`, 'content-type': 'application/json' },
  })
  t.like(await response.json(), { status: 400, code: 'malformed_json' })
})

test.serial('a signature waits for its approvers, who see what they sign for', async (t) => {
  const { sessionId } = await post(`/v1/keys/${keyId}/signatures`, message, owner)
  const seen = await until(
    () => system.client.get<Session>(`/v1/signing-sessions/${sessionId}`).catch(() => undefined),
    'the session to be readable',
  )
  t.like(seen, { status: 'pending_approval', request: { path: `/v1/keys/${keyId}/signatures`, body: JSON.stringify(message) } })
  const seenDigest = requestDigest(seen.request!)
  t.like(await approve(sessionId, owner), { status: 403, code: 'approval_by_stranger' })
  t.like(await approve(sessionId, alice, { requestDigest: '00'.repeat(32) }), { status: 403, code: 'request_mismatch' })
  t.like(await approve(sessionId, alice, { requestDigest: seenDigest }), { status: 200 })
  t.like(await approve(sessionId, alice), { status: 200 })
  t.like(await approve(sessionId, bob), { status: 200 })
  t.like(await system.client.session(sessionId), { status: 'signed' })
})

const changePolicy = (policy: object, ...approvers: readonly TestSigner[]) => {
  const path = `/v1/wallets/${walletId}/policy`
  const body = JSON.stringify({ policy })
  const intents = approvers.map((signer) => signer.authorise({ method: 'POST', path, body }).intent!)
  return post(path, { policy }, owner, intents.length > 0 ? { 'quorate-approvals': intents.join(', ') } : {})
}

test.serial(
  'a signature that waits for approvers when they are replaced is approved by those who are named now, as the parties will see it',
  async (t) => {
    const { sessionId } = await post(`/v1/keys/${keyId}/signatures`, message, owner)
    t.like(await approve(sessionId, alice), { status: 200 })
    t.like(await changePolicy({ approvals: { required: 2, approvers: [bob.key, carol.key] } }, alice, bob), { status: 202 })
    t.like(await approve(sessionId, alice), { status: 403, code: 'approval_by_stranger' })
    const { status, position } = await approve(sessionId, bob)
    t.is(status, 200)
    const waiting = await system.client.get<Session & { granted: string[] }>(`/v1/signing-sessions/${sessionId}?minPosition=${position}`)
    t.like(waiting, { status: 'pending_approval', granted: ['bob'], approvals: { required: 2, approvers: ['bob', 'carol'] } } as object)
    t.like(await approve(sessionId, carol), { status: 200 })
    t.like(await system.client.session(sessionId), { status: 'signed' })
    t.like(await changePolicy({ approvals: { required: 2, approvers: [alice.key, bob.key] } }, bob, carol), { status: 202 })
  },
)

test.serial('one that nobody can approve any more fails when somebody tries', async (t) => {
  const { sessionId } = await post(`/v1/keys/${keyId}/signatures`, message, owner)
  t.like(await changePolicy({}, alice, bob), { status: 202 })
  t.like(await approve(sessionId, alice), { status: 200 })
  t.like(await system.client.session(sessionId), { status: 'failed', failure: { code: 'approvals_impossible' } })
  t.like(await changePolicy({ approvals: { required: 2, approvers: [alice.key, bob.key] } }), { status: 202 })
})

test.serial('the policy changes with the approvals of the one in force, and the parties follow', async (t) => {
  const path = `/v1/wallets/${walletId}/policy`
  const body = { policy: { rawDigests: true } }
  const intentOf = (signer: TestSigner) => signer.authorise({ method: 'POST', path, body: JSON.stringify(body) }).intent!
  const change = (...approvers: readonly TestSigner[]) =>
    post(path, body, owner, approvers.length > 0 ? { 'quorate-approvals': approvers.map(intentOf).join(', ') } : {})
  t.like(await change(), { status: 403, code: 'approvals_missing', errors: [{ header: 'Quorate-Approvals' }] })
  t.like(await change(alice), { status: 403, code: 'approvals_missing', detail: '1 of 2 approvals were given' } as object)
  t.like(await change(alice, createSigner('mallory')), { status: 403, code: 'approval_by_stranger' })
  t.like(await change(alice, bob), { status: 202 })
  const { sessionId } = await post(`/v1/keys/${keyId}/signatures`, digest, owner)
  t.like(await system.client.session(sessionId), { status: 'signed' })
})

test.serial('a key that was asked for before a change, and was finished after it, follows too', async (t) => {
  const created = await post('/v1/wallets', { name: 'changing', clientKeys: [owner.key] })
  const key = await post(
    `/v1/wallets/${created.walletId}/keys`,
    { scheme: 'frost-secp256k1-tr', threshold: 2, parties: holders.changing },
    owner,
  )
  t.like(await post(`/v1/wallets/${created.walletId}/policy`, { policy: { rawDigests: true } }, owner), { status: 202 })
  await system.client.get(`/v1/keys/${key.keyId}`, { waitSeconds: 30 })
  const { sessionId } = await post(`/v1/keys/${key.keyId}/signatures`, digest, owner)
  t.like(await system.client.session(sessionId), { status: 'signed' })
})

test.serial('a client key is replaced by a change of the policy, and the new one signs at once', async (t) => {
  const { walletId: owned } = await post('/v1/wallets', { name: 'replaced', clientKeys: [owner.key] })
  const request = { scheme: 'frost-secp256k1-tr', threshold: 2, parties: holders.replaced }
  const key = await post(`/v1/wallets/${owned}/keys`, request, owner)
  await system.client.get(`/v1/keys/${key.keyId}`, { waitSeconds: 30 })
  const fresh = createSigner('fresh')
  const twice = [fresh.key, { ...owner.key, kid: 'fresh' }]
  const path = `/v1/wallets/${owned}/policy`
  t.like(await post(path, { policy: {}, clientKeys: twice }, owner), { status: 422, code: 'validation_failed' })
  t.like(await post(path, { policy: {}, clientKeys: [fresh.key] }, owner), { status: 202 })
  t.like(await post(`/v1/keys/${key.keyId}/signatures`, message, owner), { status: 401, code: 'intent_unknown_key' })
  const { sessionId } = await post(`/v1/keys/${key.keyId}/signatures`, message, fresh)
  t.like(await system.client.session(sessionId), { status: 'signed' })
  t.like(await system.client.get(`/v1/wallets/${owned}`), { clientKeys: [fresh.key] })
})

test.serial('a key is revoked at the word of a client', async (t) => {
  const sharesKept = async () => {
    const { items } = await system.client.get<{ items: { shares: number }[] }>('/v1/parties')
    return items.reduce((sum, { shares }) => sum + shares, 0)
  }
  const all = holders.guarded + holders.scripted + holders.changing + holders.replaced
  await until(async () => (await sharesKept()) === all, 'every party to have said what it keeps')
  t.like(await post(`/v1/keys/${keyId}/revoke`, {}, owner), { status: 202 })
  await until(async () => (await sharesKept()) === all - holders.guarded, 'every holder to have destroyed its share')
})
