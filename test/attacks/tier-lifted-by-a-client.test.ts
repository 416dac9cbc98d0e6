import test from 'ava'
import { createSigner, type TestSigner } from '../../domain/authorisation/testing/signer.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToChangePolicy, PARTY, post, startAttackedSystem } from './coordinator.ts'

const [alice, bob] = [createSigner('alice'), createSigner('bob')]

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
  const tiers = [{ id: 'large', above: { usd: '100000' }, approvals: 2 }]
  const policy = { rawDigests: false, transfers: { tiers, approvers: [alice.key, bob.key] } }
  key = await system.generateKey(await system.createWallet(policy), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

function lift(approvers: readonly TestSigner[]) {
  const [path, body] = [`/v1/wallets/${key.walletId}/policy`, { policy: {} }]
  const approvals = approvers.map((approver) => approver.authorise(post(path, body)).intent!)
  return askToChangePolicy(system, key, { version: 2, authorisation: system.client.authorise(post(path, body)), approvals })
}

test.serial('a client who may sign alone below a tier does not lift the tier alone', async (t) => {
  t.like(await lift([]), { type: 'refused', code: 'approvals_missing' })
  t.like(await lift([alice]), { type: 'refused', code: 'approvals_missing' })
  t.like(await lift([alice, createSigner('mallory')]), { type: 'refused', code: 'approval_by_stranger' })
})

test.serial('those do with him who have to approve what is above it', async (t) => {
  t.deepEqual(await lift([alice, bob]), { type: 'policyChanged', version: 2 })
})
