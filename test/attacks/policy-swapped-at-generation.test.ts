/** A stolen API that has a key made in a client's name, and with its intent, under a policy that lets the thief use it. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { DEFAULT_POLICY, keyPolicyOf, type WalletPolicy } from '../../domain/wallet/policy.ts'
import { policyDigest } from '../../scripts/client/policy-digest.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToGenerate, PARTY, post, startAttackedSystem } from './coordinator.ts'

let system: TestSystem

test.before(async () => {
  system = await startAttackedSystem()
})
test.after.always(() => system?.close())

const [alice, thief] = [createSigner('alice', 'P-256'), createSigner('thief')]

for (const scheme of SCHEMES)
  test.serial(`a client that names the policy of its ${scheme} key gets no key under another`, async (t) => {
    const walletId = randomUUID()
    const clientKeys = [system.client.key]
    const policy: WalletPolicy = { ...DEFAULT_POLICY, approvals: { required: 1, approvers: [alice.key] } }
    const wanted = policyDigest({ walletId, clientKeys, ...policy })
    const generate = (changes: Partial<Parameters<typeof keyPolicyOf>[0]>, digest: unknown = wanted) => {
      const body = { scheme, threshold: 1, parties: [PARTY], policyDigest: digest }
      const authorisation = system.client.authorise(post(`/v1/wallets/${walletId}/keys`, body))
      const sealed = encodePolicy(keyPolicyOf({ walletId, clientKeys, policy, policyVersion: 1, ...changes }))
      return askToGenerate(system, { threshold: 1, authorisation, policy: sealed }, scheme)
    }
    const refused = { type: 'refused', code: 'request_mismatch' } as const
    t.like(await generate({ clientKeys: [system.client.key, thief.key] }), refused)
    t.like(await generate({ policy: DEFAULT_POLICY }), refused)
    t.like(await generate({ policy: { ...policy, approvals: { required: 1, approvers: [alice.key, thief.key] } } }), refused)
    t.like(await generate({ policy: { ...policy, rawDigests: true } }), refused)
    t.like(await generate({ policyVersion: 2 }), refused)
    for (const digest of ['', wanted.toUpperCase(), null, 1, [wanted]]) t.like(await generate({}, digest), refused)
    t.is((await generate({})).type, 'said')
  })
