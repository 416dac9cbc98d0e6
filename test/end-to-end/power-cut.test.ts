import test from 'ava'
import { verifySignature } from '../../scripts/client/verify.ts'
import { startTestSystem, type TestSystem } from './system.ts'

let system: TestSystem
test.before(async () => {
  system = await startTestSystem()
})
test.after.always(() => system?.stop())

test('everything killed at once and started again: the same wallet and key, which sign again, and the same read models', async (t) => {
  const walletId = await system.client.createWallet('survivor')
  const key = await system.client.generateKey(walletId, 'frost-ed25519', 2, 3)
  const before = await system.client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: 'before' })
  await system.client.session(before.sessionId)
  const views = () =>
    Promise.all(
      [
        `/v1/wallets/${walletId}`,
        `/v1/wallets/${walletId}/history`,
        `/v1/keys/${key.keyId}`,
        `/v1/signing-sessions/${before.sessionId}`,
      ].map((path) => system.client.get(path)),
    )
  const seen = await views()
  // Accepted, and nothing more: whatever has become of it, it is finished after the restart.
  const during = await system.client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: 'during' })

  await system.killEverything()
  await system.startAgain()

  const finished = await system.client.session(during.sessionId)
  t.is(finished.status, 'signed')
  t.true(verifySignature('frost-ed25519', key.publicKey, Buffer.from('during'), finished.signature))
  const rebuilt = await views()
  t.deepEqual(rebuilt[0], seen[0])
  t.deepEqual(rebuilt.slice(2), seen.slice(2))
  const { items } = rebuilt[1] as { items: unknown[] }
  t.deepEqual(items.slice(-(seen[1] as { items: unknown[] }).items.length), (seen[1] as { items: unknown[] }).items)

  const after = await system.client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: 'after' })
  t.like(await system.client.session(after.sessionId), { status: 'signed' })
})
