import test from 'ava'
import { encodePolicy, type KeyPolicy } from '../../domain/authorisation/key-policy.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToDestroy, askToGenerate, askToSign, message, PARTY, post, signatureRequest, startAttackedSystem } from './coordinator.ts'

let system: TestSystem
let key: ExistingKeyShare
let other: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
  const walletId = await system.createWallet()
  const generate = () => system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })
  key = await generate()
  other = await generate()
})

test.after.always(() => system?.close())

const valid = (): Authorisation => system.client.authorise(signatureRequest(key))

/** The intent with fields of its header or its claims changed after it was signed. */
function changed(authorisation: Authorisation, part: 0 | 1, change: object): Authorisation {
  const parts = authorisation.intent!.split('.')
  const fields = JSON.parse(Buffer.from(parts[part]!, 'base64url').toString())
  parts[part] = Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url')
  return { ...authorisation, intent: parts.join('.') }
}

test.serial('what the client has signed, the party signs', async (t) => {
  t.is((await askToSign(system, key, { authorisation: valid() })).type, 'contributed')
})

const now = Math.floor(Date.now() / 1000)
for (const [part, changes] of [
  [
    0,
    {
      typ: ['JWT', null],
      alg: ['none', 'ES256', 'HS256'],
      kid: ['approver', '', null],
      crit: [['b64']],
      b64: [false],
      jwk: [createSigner('client').key],
    },
  ],
  [
    1,
    {
      jti: ['another', '', 1],
      iat: [now - 1, now + 600],
      exp: [now + 299, now + 86_400],
      htm: ['GET', 'post'],
      htu: ['/v1/keys', '/v1/wallets'],
      bodyDigest: ['', 'AAAA'],
      nbf: [0],
    },
  ],
] as const) {
  for (const [field, values] of Object.entries(changes))
    for (const [index, value] of values.entries())
      test.serial(`${field} of the intent changed after it was signed is refused (${index + 1})`, async (t) => {
        const reply = await askToSign(system, key, { authorisation: changed(valid(), part, { [field]: value }) })
        t.is(reply.type, 'refused')
        t.regex(reply.type === 'refused' ? reply.code : '', /^intent_(malformed|unknown_key|signature_invalid)$/)
      })
}

for (const [what, body] of [
  ['data', message('pay somebody')],
  ['encoding', { payload: { kind: 'message', encoding: 'hex', data: '00' } }],
  ['kind', { payload: { kind: 'digest', data: '00'.repeat(32) } }],
  ['derivation path', { ...message('pay nobody'), path: 'm/0' }],
  ['path that says the same', { ...message('pay nobody'), path: 'm' }],
] as const) {
  test.serial(`a body with another ${what} is refused`, async (t) => {
    const authorisation = { ...valid(), body: JSON.stringify(body) }
    t.like(await askToSign(system, key, { authorisation }), { type: 'refused', code: 'intent_body_mismatch' })
  })
}

test.serial('so is a body that differs by a space', async (t) => {
  const { body, ...rest } = valid()
  t.like(await askToSign(system, key, { authorisation: { ...rest, body: `${body} ` } }), { code: 'intent_body_mismatch' })
})

test.serial('another method or path is refused, whether the intent says so or not', async (t) => {
  const elsewhere = signatureRequest(other)
  for (const [change, code] of [
    [{ method: 'PUT' }, 'request_mismatch'],
    [{ path: elsewhere.path }, 'request_mismatch'],
    [{ path: `${valid().path}/` }, 'request_mismatch'],
    [{ path: `${valid().path}?` }, 'request_mismatch'],
  ] as const)
    t.like(await askToSign(system, key, { authorisation: { ...valid(), ...change } }), { type: 'refused', code })

  const forTheOther = system.client.authorise(elsewhere)
  t.like(await askToSign(system, key, { authorisation: forTheOther }), { type: 'refused', code: 'request_mismatch' })
  t.like(await askToSign(system, key, { authorisation: { ...forTheOther, path: valid().path } }), { code: 'intent_path_mismatch' })
  const wrongMethod = system.client.authorise({ ...signatureRequest(key), method: 'GET' })
  t.like(await askToSign(system, key, { authorisation: { ...wrongMethod, method: 'POST' } }), { code: 'intent_method_mismatch' })
})

test.serial('the key that signs is the one at the path in the body, whatever path is handed in', async (t) => {
  const derived = system.client.authorise(signatureRequest(key, { ...message('pay nobody'), path: 'm/0/5' }))
  t.like(await askToSign(system, key, { authorisation: derived, path: 'm/0/6' }), { type: 'refused', code: 'request_mismatch' })
  t.like(await askToSign(system, key, { authorisation: valid(), path: 'm/0/5' }), { type: 'refused', code: 'request_mismatch' })
  t.is((await askToSign(system, key, { authorisation: derived })).type, 'contributed')
})

test.serial('a body that two readers could read differently is refused, though the client has signed it', async (t) => {
  const { path, body } = signatureRequest(key)
  for (const ambiguous of [
    body.replace('"data"', '"data":"pay me","data"'),
    body.replace('{', '{"payload":{"kind":"message","encoding":"utf8","data":"pay me"},'),
    body.replace('"kind"', '"more":1,"kind"'),
    body.replace('}}', '},"path":null}'),
  ]) {
    const authorisation = system.client.authorise({ method: 'POST', path, body: ambiguous })
    t.like(await askToSign(system, key, { authorisation }), { type: 'refused', code: 'malformed' })
  }
})

test.serial('an intent for a signature is none for anything else', async (t) => {
  t.like(await askToDestroy(system, key, valid()), { type: 'refused', code: 'request_mismatch' })
  t.like(await askToDestroy(system, key, system.client.authorise(post(`/v1/keys/${other.keyId}/revoke`, {}))), { code: 'request_mismatch' })
  t.is((await askToSign(system, key, { authorisation: valid() })).type, 'contributed')
})

test.serial('a key is generated as the client has asked for it, under the policy of its wallet, or not at all', async (t) => {
  const { scheme, policy, walletId } = key
  const threshold = 1
  const request = post(`/v1/wallets/${walletId}/keys`, { scheme, threshold, parties: 1 })
  const ask = (changes: Partial<Parameters<typeof askToGenerate>[1]> = {}, as = scheme) =>
    askToGenerate(system, { threshold, authorisation: system.client.authorise(request), policy: encodePolicy(policy), ...changes }, as)
  t.is((await ask()).type, 'said')

  t.like(await ask({}, 'frost-ed25519'), { type: 'refused', code: 'request_mismatch' })
  t.like(await ask({ threshold: 2, parties: [PARTY, 'party-2'] }), { code: 'request_mismatch' })
  t.like(await ask({ parties: [PARTY, 'party-2'] }), { code: 'request_mismatch' })
  const named = system.client.authorise(post(request.path, { scheme, threshold, parties: ['party-2'] }))
  t.like(await ask({ authorisation: named }), { code: 'request_mismatch' })
  const more = system.client.authorise(post(request.path, { scheme, threshold, parties: 1, more: 1 }))
  t.like(await ask({ authorisation: more }), { code: 'malformed' })

  const under = (changes: Partial<KeyPolicy>) => ask({ policy: encodePolicy({ ...policy, ...changes }) })
  t.like(await under({ walletId: other.keyId }), { code: 'request_mismatch' })
  t.like(await under({ clientKeys: [createSigner('client').key] }), { code: 'intent_signature_invalid' })
  t.like(await under({ clientKeys: [] }), { code: 'intent_unknown_key' })
  t.like(await ask({ policy: Buffer.from('{}') }), { code: 'malformed' })
})

test.serial('nobody comes by a say over a key by a further attempt at it, under a policy of his own', async (t) => {
  const { scheme, policy, walletId, keyId } = key
  const attacker = createSigner('attacker')
  const authorisation = attacker.authorise(post(`/v1/wallets/${walletId}/keys`, { scheme, threshold: 1, parties: 1 }))
  const own = encodePolicy({ ...policy, clientKeys: [attacker.key] })
  t.like(await askToGenerate(system, { keyId, threshold: 1, authorisation, policy: own }, scheme), { code: 'request_mismatch' })
})
