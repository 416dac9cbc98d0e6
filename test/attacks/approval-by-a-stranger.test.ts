import { randomUUID } from 'node:crypto'
import test from 'ava'
import { approvalPath } from '../../domain/authorisation/approvals.ts'
import { createSigner, type TestSigner } from '../../domain/authorisation/testing/signer.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToSign, PARTY, post, signatureRequest, startAttackedSystem } from './coordinator.ts'

const [alice, bob] = [createSigner('alice'), createSigner('bob', 'P-256')]

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
  const policy = { rawDigests: false, approvals: { required: 2, approvers: [alice.key, bob.key] } }
  key = await system.generateKey(await system.createWallet(policy), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

function sign(...approvers: readonly TestSigner[]) {
  const sessionId = randomUUID()
  const approvals = approvers.map((approver) => approver.authorise(post(approvalPath(sessionId), { decision: 'approve' })))
  return askToSign(system, key, { authorisation: system.client.authorise(signatureRequest(key)), approvals }, sessionId)
}

test.serial('approvals by both approvers are enough', async (t) => {
  t.is((await sign(alice, bob)).type, 'contributed')
})

test.serial('none, too few, or the same twice are not', async (t) => {
  for (const approvers of [[], [alice], [alice, alice], [bob, bob, bob]])
    t.like(await sign(...approvers), { type: 'refused', code: 'approvals_missing' })
})

test.serial('somebody whom the policy does not name counts for nobody, the client included', async (t) => {
  t.like(await sign(alice, createSigner('mallory')), { type: 'refused', code: 'approval_by_stranger' })
  t.like(await sign(alice, system.client), { type: 'refused', code: 'approval_by_stranger' })
  t.like(await sign(alice, bob, createSigner('mallory')), { type: 'refused', code: 'approval_by_stranger' })
  t.like(await sign(alice, createSigner('bob')), { type: 'refused', code: 'intent_malformed' })
  t.like(await sign(alice, createSigner('bob', 'P-256')), { type: 'refused', code: 'intent_signature_invalid' })
})

test.serial('an approver can ask for nothing', async (t) => {
  const reply = await askToSign(system, key, { authorisation: alice.authorise(signatureRequest(key)), approvals: [] })
  t.like(reply, { type: 'refused', code: 'intent_unknown_key' })
})
