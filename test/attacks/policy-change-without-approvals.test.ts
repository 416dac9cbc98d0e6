import test from 'ava'
import { createSigner, type TestSigner } from '../../domain/authorisation/testing/signer.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToChangePolicy, askToSign, PARTY, post, signatureRequest, startAttackedSystem } from './coordinator.ts'

const [alice, bob] = [createSigner('alice'), createSigner('bob')]
const LAX = { policy: { rawDigests: true } }

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
  const policy = { rawDigests: false, approvals: { required: 2, approvers: [alice.key, bob.key] } }
  key = await system.generateKey(await system.createWallet(policy), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

type Changes = { version?: number; body?: object; approved?: object; signer?: TestSigner; walletId?: string }

function change(
  approvers: readonly TestSigner[],
  { version = 2, body = LAX, approved = body, signer = system.client, walletId = key.walletId }: Changes = {},
) {
  const path = `/v1/wallets/${walletId}/policy`
  const approvals = approvers.map((approver) => approver.authorise(post(path, approved)).intent!)
  return askToChangePolicy(system, key, { version, authorisation: signer.authorise(post(path, body)), approvals })
}

const bare = () =>
  askToSign(system, key, {
    authorisation: system.client.authorise(signatureRequest(key, { payload: { kind: 'digest', data: 'ab'.repeat(32) } })),
  })

test.serial('without the approvals that the policy in force asks for it does not change', async (t) => {
  t.like(await change([]), { type: 'refused', code: 'approvals_missing' })
  t.like(await change([alice]), { type: 'refused', code: 'approvals_missing' })
  t.like(await change([alice, alice]), { type: 'refused', code: 'approvals_missing' })
  t.like(await change([alice, createSigner('mallory')]), { type: 'refused', code: 'approval_by_stranger' })
  t.like(await change([alice, createSigner('bob')]), { type: 'refused', code: 'intent_signature_invalid' })
  t.like(await change([alice, system.client]), { type: 'refused', code: 'approval_by_stranger' })
  t.like(await change([alice, bob], { signer: alice }), { type: 'refused', code: 'intent_unknown_key' })
  t.like(await change([alice, bob], { signer: createSigner('client') }), { type: 'refused', code: 'intent_signature_invalid' })
})

test.serial('approvals of another policy, or for another wallet, are none', async (t) => {
  t.like(await change([alice, bob], { approved: { policy: {} } }), { type: 'refused', code: 'intent_body_mismatch' })
  t.like(await change([alice, bob], { walletId: key.keyId }), { type: 'refused', code: 'request_mismatch' })
})

test.serial('new approvers have no say in how they become so', async (t) => {
  const mallory = createSigner('mallory')
  const body = { policy: { approvals: { required: 1, approvers: [mallory.key] } } }
  t.like(await change([mallory], { body }), { type: 'refused', code: 'approval_by_stranger' })
})

test.serial('a policy that cannot be met, or that nobody can read in one way only, is refused, approved or not', async (t) => {
  for (const [body, code] of [
    [{ policy: { approvals: { required: 2, approvers: [alice.key] } } }, 'malformed'],
    [{ policy: { approvals: { required: 2, approvers: [alice.key, { ...alice.key, kid: 'bob' }] } } }, 'malformed'],
    [{ policy: { approvals: { required: 1, approvers: ['alice'] } } }, 'malformed'],
    [{ policy: { approvals: { required: 1, approvers: [{ ...alice.key, x: '' }] } } }, 'malformed'],
    [{ policy: { more: true } }, 'malformed'],
    [{ policy: {}, clientKeys: [] }, 'malformed'],
  ] as const)
    t.like(await change([alice, bob], { body }), { type: 'refused', code }, JSON.stringify(body))
})

test.serial('changes come one after the other', async (t) => {
  t.like(await change([alice, bob], { version: 3 }), { type: 'refused', code: 'policy_out_of_order' })
})

test.serial('none of this has changed anything; the approvers change it, once, and the same again is answered the same', async (t) => {
  t.like(await bare(), { type: 'refused', code: 'approvals_missing' })
  t.deepEqual(await change([alice, bob]), { type: 'policyChanged', version: 2 })
  t.is((await bare()).type, 'contributed')
  t.deepEqual(await change([alice, bob]), { type: 'policyChanged', version: 2 })
  t.deepEqual(await change([], { body: { policy: {} } }), { type: 'policyChanged', version: 2 })
  t.is((await bare()).type, 'contributed')
})
