import test from 'ava'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from '../ceremony/system.ts'
import {
  askToChangePolicy,
  askToDestroy,
  askToGenerate,
  askToSign,
  PARTY,
  post,
  signatureRequest,
  startAttackedSystem,
} from './coordinator.ts'

const HOUR = 3_600_000

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

const seconds = () => Math.floor(Date.now() / 1000)
const sign = (claims: object, at = Date.now()) =>
  askToSign(system, key, { authorisation: system.client.authorise(signatureRequest(key), { claims, at }) })

test.serial('a signature is made inside the window of its intent, and not outside', async (t) => {
  t.is((await sign({})).type, 'contributed')
  t.is((await sign({ iat: seconds() - 299, exp: seconds() + 1 })).type, 'contributed')
  t.like(await sign({ iat: seconds() - 100, exp: seconds() - 6 }), { type: 'refused', code: 'intent_expired' })
  t.like(await sign({}, Date.now() - HOUR), { type: 'refused', code: 'intent_expired' })
  t.like(await sign({ iat: seconds() + 60, exp: seconds() + 90 }), { type: 'refused', code: 'intent_not_yet_valid' })
  t.like(await sign({ exp: seconds() + 302 }), { type: 'refused', code: 'intent_window_too_long' })
  t.like(await sign({ exp: seconds() + 10 * 365 * 86_400 }), { type: 'refused', code: 'intent_window_too_long' })
  t.like(await sign({ exp: Number.MAX_SAFE_INTEGER + 1 }), { type: 'refused', code: 'intent_malformed' })
})

test.serial('so is a key', async (t) => {
  const { scheme, policy, walletId } = key
  const request = post(`/v1/wallets/${walletId}/keys`, { scheme, threshold: 1, parties: 1 })
  const generate = (at: number) =>
    askToGenerate(system, { threshold: 1, authorisation: system.client.authorise(request, { at }), policy: encodePolicy(policy) }, scheme)
  t.like(await generate(Date.now() - HOUR), { type: 'refused', code: 'intent_expired' })
  t.like(await generate(Date.now() + HOUR), { type: 'refused', code: 'intent_not_yet_valid' })
  t.is((await generate(Date.now())).type, 'said')
})

test.serial('a change of policy or a revocation may come late, but not later than a day', async (t) => {
  const change = (at: number) =>
    askToChangePolicy(system, key, {
      version: 2,
      authorisation: system.client.authorise(post(`/v1/wallets/${key.walletId}/policy`, { policy: { rawDigests: true } }), { at }),
      approvals: [],
    })
  t.like(await change(Date.now() - 25 * HOUR), { type: 'refused', code: 'intent_expired' })
  t.like(await change(Date.now() + HOUR), { type: 'refused', code: 'intent_not_yet_valid' })
  t.like(await change(Date.now() - HOUR), { type: 'policyChanged', version: 2 })

  const destroy = (at: number) => askToDestroy(system, key, system.client.authorise(post(`/v1/keys/${key.keyId}/revoke`, {}), { at }))
  t.like(await destroy(Date.now() - 25 * HOUR), { type: 'refused', code: 'intent_expired' })
  t.like(await destroy(Date.now() + HOUR), { type: 'refused', code: 'intent_not_yet_valid' })
  t.like(await destroy(Date.now() - HOUR), { type: 'destroyed' })
})
