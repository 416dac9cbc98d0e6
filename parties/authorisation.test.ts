import test from 'ava'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { approvalPath } from '../domain/authorisation/approvals.ts'
import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import { createSigner } from '../domain/authorisation/testing/signer.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { typedDataDigest } from '../domain/ethereum/typed-data.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { authoriseKeyGeneration, authoriseKeyOperation, authorisePolicyChange, authoriseSignature } from './authorisation.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const [client, alice] = [createSigner('client'), createSigner('alice', 'P-256')]
const policy: KeyPolicy = {
  version: 4,
  walletId: 'w',
  clientKeys: [client.key],
  rawDigests: false,
  approvals: { required: 1, approvers: [alice.key] },
  presignatures: 10,
}
const rules = { policy, verify: verifyJws, now }
const post = (path: string, body: object) => ({ method: 'POST', path, body: JSON.stringify(body) })
const numbered = (jti: string) => ({ at: now, claims: { jti } })
const payload = { kind: 'message', encoding: 'utf8', data: 'pay nobody' }

test('what is signed, at which path, and each intent that allows it by its key and number follow from what was signed', (t) => {
  const authorised = authoriseSignature({
    ...rules,
    authorisation: client.authorise(post('/v1/keys/k/signatures', { payload, path: 'm/0/5' }), numbered('1')),
    approvals: [alice.authorise(post(approvalPath('s'), { decision: 'approve' }), numbered('2'))],
    sessionId: 's',
    keyId: 'k',
    scheme: 'frost-ed25519',
  })
  t.deepEqual(authorised, { message: new TextEncoder().encode('pay nobody'), path: 'm/0/5', intents: ['client/1', 'alice/2'] })
})

test('typed data are hashed by the party itself, and what is not hashed of them refused', (t) => {
  const typedData = {
    types: { Vote: [{ name: 'yes', type: 'bool' }] },
    primaryType: 'Vote',
    domain: { name: 'Poll' },
    message: { yes: true },
  }
  const authorise = (message: object, scheme: Scheme) => {
    const payload = { kind: 'eip712', typedData: { ...typedData, message } }
    const approvals = [alice.authorise(post(approvalPath('s'), { decision: 'approve' }), numbered('2'))]
    const authorisation = client.authorise(post('/v1/keys/k/signatures', { payload }), numbered('1'))
    return authoriseSignature({ ...rules, authorisation, approvals, sessionId: 's', keyId: 'k', scheme })
  }
  t.deepEqual(authorise({ yes: true }, 'dkls23-secp256k1').message, typedDataDigest(typedData))
  for (const message of [{}, { yes: 1 }, { yes: true, no: true }])
    t.throws(() => authorise(message, 'dkls23-secp256k1'), { instanceOf: Refusal, code: 'malformed' })
  t.throws(() => authorise({ yes: true }, 'frost-ed25519'), { instanceOf: Refusal, code: 'malformed' })
})

test('so do the intents that allow anything else', (t) => {
  const generation = post('/v1/wallets/w/keys', { scheme: 'frost-ed25519', threshold: 1, parties: ['a', 'b'] })
  const authorisation = client.authorise(generation, numbered('3'))
  t.deepEqual(authoriseKeyGeneration({ ...rules, authorisation, scheme: 'frost-ed25519', threshold: 1, parties: ['a', 'b'] }), ['client/3'])
  for (const operation of ['refresh', 'revoke', 'recover'] as const) {
    const asked = client.authorise(post(`/v1/keys/k/${operation}`, {}), numbered(operation))
    t.deepEqual(authoriseKeyOperation(operation, { ...rules, authorisation: asked, keyId: 'k' }), [`client/${operation}`])
  }
})

test('an operation is none of the others, and only a revocation may come very late', (t) => {
  const late = { at: now - 3_600_000 }
  const queued = { at: now - 600_000 }
  for (const operation of ['refresh', 'recover'] as const) {
    const refuse = (path: string, changes: object, code: string) =>
      t.throws(() => authoriseKeyOperation(operation, { ...rules, authorisation: client.authorise(post(path, {}), changes), keyId: 'k' }), {
        instanceOf: Refusal,
        code,
      })
    refuse('/v1/keys/k/revoke', { at: now }, 'request_mismatch')
    refuse(`/v1/keys/k/${operation}`, late, 'intent_expired')
    const waited = client.authorise(post(`/v1/keys/k/${operation}`, {}), queued)
    t.notThrows(() => authoriseKeyOperation(operation, { ...rules, authorisation: waited, keyId: 'k' }))
  }
  const revocation = client.authorise(post('/v1/keys/k/revoke', {}), late)
  t.notThrows(() => authoriseKeyOperation('revoke', { ...rules, authorisation: revocation, keyId: 'k' }))
})

test('holders are as many as the client wants, or the very ones, in his order', (t) => {
  const generate = (wanted: unknown, parties: readonly string[]) =>
    authoriseKeyGeneration({
      ...rules,
      authorisation: client.authorise(post('/v1/wallets/w/keys', { scheme: 'frost-ed25519', threshold: 1, parties: wanted }), { at: now }),
      scheme: 'frost-ed25519',
      threshold: 1,
      parties,
    })
  t.notThrows(() => generate(2, ['a', 'b']))
  for (const wanted of [1, 3, '2', ['a'], ['b', 'a'], ['a', 'b', 'c'], { length: 2 }])
    t.throws(() => generate(wanted, ['a', 'b']), { instanceOf: Refusal, code: 'request_mismatch' })
})

test('the policy that follows is the next version, of the same wallet and clients', (t) => {
  const change = post('/v1/wallets/w/policy', { policy: { rawDigests: true, presignatures: 0 } })
  const authorised = authorisePolicyChange({
    ...rules,
    authorisation: client.authorise(change, numbered('5')),
    approvals: [alice.authorise(change, numbered('6')).intent!],
  })
  t.deepEqual(authorised.policy, { ...policy, version: 5, rawDigests: true, approvals: null, presignatures: 0 })
  t.deepEqual(authorised.intents, ['client/5', 'alice/6'])
})
