/** A client key was stolen, and has been replaced: from then on nobody asks with it, and who has stolen it cannot have it put back. */
import test from 'ava'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToChangePolicy, askToDestroy, askToSign, PARTY, post, signatureRequest, startAttackedSystem } from './coordinator.ts'

let system: TestSystem

test.before(async () => {
  system = await startAttackedSystem()
})
test.after.always(() => system?.close())

const [alice, fresh] = [createSigner('alice'), createSigner('fresh', 'P-256')]
const policy = { rawDigests: false, approvals: { required: 1, approvers: [alice.key] } }

test('client keys are replaced with the approvals of the policy in force, and count no longer', async (t) => {
  const key = await system.generateKey(await system.createWallet(policy), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
  const path = `/v1/wallets/${key.walletId}/policy`
  const change = (version: number, signer: typeof fresh, clientKeys: readonly object[], approvers: readonly (typeof fresh)[] = [alice]) => {
    const request = post(path, { policy: {}, clientKeys })
    const approvals = approvers.map((approver) => approver.authorise(request).intent!)
    return askToChangePolicy(system, key, { version, authorisation: signer.authorise(request), approvals })
  }
  const stolen = system.client
  t.like(await change(2, stolen, [fresh.key], []), { type: 'refused', code: 'approvals_missing' })
  t.like(await change(2, fresh, [fresh.key]), { type: 'refused', code: 'intent_unknown_key' })
  for (const keys of [[], [fresh.key, { ...alice.key, kid: 'fresh' }], [{ ...fresh.key, x: 'AA' }], Array(21).fill(fresh.key), [{}]])
    t.like(await change(2, stolen, keys), { type: 'refused', code: 'malformed' })
  t.deepEqual(await change(2, stolen, [fresh.key]), { type: 'policyChanged', version: 2 })

  const unknown = { type: 'refused', code: 'intent_unknown_key' } as const
  t.like(await askToSign(system, key, { authorisation: stolen.authorise(signatureRequest(key)) }), unknown)
  t.like(await change(3, stolen, [stolen.key]), unknown)
  const revocation = post(`/v1/keys/${key.keyId}/revoke`, {})
  t.like(await askToDestroy(system, key, stolen.authorise(revocation)), unknown)
  t.is((await askToSign(system, key, { authorisation: fresh.authorise(signatureRequest(key)) })).type, 'contributed')
  t.is((await askToDestroy(system, key, fresh.authorise(revocation))).type, 'destroyed')
})
