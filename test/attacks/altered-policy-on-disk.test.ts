import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { decodePolicy, encodePolicy } from '../../domain/authorisation/key-policy.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import { askToChangePolicy, askToDestroy, askToSign, PARTY, post, signatureRequest, startAttackedSystem } from './coordinator.ts'

test('whoever writes himself into the policy beside a share has made the share useless, and got nothing', async (t) => {
  const system = await startAttackedSystem()
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
  const { keyId, walletId } = key
  const file = join(system.party(PARTY).dir, 'shares', keyId, `epoch-1-attempt-${key.attempt}.json`)
  const before = await readFile(file, 'utf8')
  const stored = JSON.parse(before)
  const policy = decodePolicy(Buffer.from(stored.policy, 'hex'))
  const attacker = createSigner('attacker')
  const altered = encodePolicy({ ...policy, clientKeys: [attacker.key], rawDigests: true })
  await writeFile(file, JSON.stringify({ ...stored, policy: Buffer.from(altered).toString('hex') }))

  const unreadable = { type: 'refused', code: 'share_unreadable' } as const
  const sign = (signer: typeof attacker) => askToSign(system, key, { authorisation: signer.authorise(signatureRequest(key)) })
  t.like(await sign(attacker), unreadable)
  const change = attacker.authorise(post(`/v1/wallets/${walletId}/policy`, { policy: {} }))
  t.like(await askToChangePolicy(system, key, { version: 2, authorisation: change, approvals: [] }), unreadable)
  t.like(await askToDestroy(system, key, attacker.authorise(post(`/v1/keys/${keyId}/revoke`, {}))), unreadable)

  await writeFile(file, before)
  t.is((await sign(system.client)).type, 'contributed')
  t.like(await sign(attacker), { type: 'refused', code: 'intent_unknown_key' })
})
