import test from 'ava'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import {
  askToChangePolicy,
  askToDestroy,
  askToGenerate,
  askToSign,
  message,
  PARTY,
  post,
  signatureRequest,
  startAttackedSystem,
} from './coordinator.ts'

test('who has API, log, broker and coordinator, but no key of a client, gets nothing out of the parties', async (t) => {
  const system = await startAttackedSystem()
  t.teardown(system.close)
  const walletId = await system.createWallet()
  const key = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
  const attacker = createSigner(system.client.kid)
  const wanted = signatureRequest(key, message('pay the attacker'))
  const revocation = post(`/v1/keys/${key.keyId}/revoke`, {})
  const policy = post(`/v1/wallets/${walletId}/policy`, { policy: { rawDigests: true } })
  const another = post(`/v1/wallets/${walletId}/keys`, { scheme: key.scheme, threshold: 1, parties: 1 })

  const { authorisation: ofTheKey } = key
  const session = await system.outcome(await system.requestSignature(key, Buffer.from('pay nobody')))
  // All that a thief has: nothing, a key of his own under a known name, and what clients have signed before.
  const attempts: ((request: Omit<Authorisation, 'intent'>) => Authorisation)[] = [
    (request) => ({ ...request, intent: null }),
    (request) => attacker.authorise(request),
    (request) => ({ ...request, intent: ofTheKey.intent }),
    (request) => ({ ...request, intent: (session.authorisation as Authorisation).intent }),
  ]
  for (const authorise of attempts) {
    t.is((await askToSign(system, key, { authorisation: authorise(wanted) })).type, 'refused')
    t.is((await askToDestroy(system, key, authorise(revocation))).type, 'refused')
    t.is((await askToChangePolicy(system, key, { version: 2, authorisation: authorise(policy), approvals: [] })).type, 'refused')
  }
  for (const authorise of attempts.slice(0, 2)) {
    const generated = { threshold: 1, authorisation: authorise(another), policy: encodePolicy(key.policy) }
    t.is((await askToGenerate(system, generated, key.scheme)).type, 'refused')
  }
  t.is((await system.sign(key, Buffer.from('pay somebody'))).status, 'signed')
})

test('a key that a thief generates for himself, in the name of a wallet, is not taken for one of its owner', async (t) => {
  const system = await startAttackedSystem()
  t.teardown(system.close)
  const walletId = await system.createWallet()
  const key = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
  const attacker = createSigner('attacker')
  const authorisation = attacker.authorise(post(`/v1/wallets/${walletId}/keys`, { scheme: key.scheme, threshold: 1, parties: 1 }))
  const own = encodePolicy({ ...key.policy, clientKeys: [attacker.key] })
  t.is((await askToGenerate(system, { threshold: 1, authorisation, policy: own }, key.scheme)).type, 'said')
  // It obeys the thief, and the owner's key still does not.
  const signed = attacker.authorise(signatureRequest(key))
  t.like(await askToSign(system, key, { authorisation: signed }), { type: 'refused', code: 'intent_unknown_key' })
})
