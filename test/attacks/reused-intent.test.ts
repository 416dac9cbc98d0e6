/** What was signed for one change of a wallet's policy is sent again. Parties would take it for no second one, nor any later change without that one. */
import test, { type ExecutionContext } from 'ava'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { changePolicy } from '../../commands/change-policy.ts'
import { bringPolicyChanges } from '../../commands/processes/policy-change.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import type { WalletPolicy } from '../../domain/wallet/policy.ts'
import { runApp } from '../../http/testing/running-app.ts'
import { PARTY, post, startAttackedSystem } from './coordinator.ts'

async function startApp(t: ExecutionContext, policy: WalletPolicy) {
  const system = await startAttackedSystem()
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(policy), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
  const app = await runApp(t, [changePolicy({ log: system.log, verify: verifyJws, chains: new Map() })])
  const authorization = `Bearer ${await app.token({ tenant: 'test' })}`
  const send = ({ path, body, intent }: Authorisation, headers: Record<string, string> = {}) =>
    app.call('POST', path, { body, authorization, headers: { 'quorate-intent': intent!, ...headers } })
  const wish = (policy: object) => post(`/v1/wallets/${key.walletId}/policy`, { policy })
  const versions = async () =>
    (await system.events(walletStream(key.walletId))).flatMap(({ type, data }) =>
      type === 'PolicyChanged' ? [(data as { version: number }).version] : [],
    )
  return { system, key, send, wish, versions }
}

test('the same intent changes the policy once, under whatever idempotency key, and the next change reaches the parties', async (t) => {
  const { system, key, send, wish, versions } = await startApp(t, { rawDigests: false })
  const change = system.client.authorise(wish({ rawDigests: true }))
  t.is((await send(change, { 'idempotency-key': 'one' })).status, 202)
  t.is((await send(change, { 'idempotency-key': 'one' })).status, 202)
  for (const headers of [{}, { 'idempotency-key': 'another' }] as Record<string, string>[]) {
    const again = await send(change, headers)
    t.like({ status: again.status, code: again.json.code }, { status: 409, code: 'intent_reused' })
  }
  t.is((await send(system.client.authorise(wish({ rawDigests: true })))).status, 202)
  t.deepEqual(await versions(), [2, 3])
  await t.notThrowsAsync(bringPolicyChanges(system, key))
})

test('an approval counts for one change, also beside a fresh intent', async (t) => {
  const alice = createSigner('alice')
  const approvals = { required: 1, approvers: [alice.key] }
  const { system, key, send, wish, versions } = await startApp(t, { rawDigests: false, approvals })
  const request = wish({ rawDigests: true, approvals })
  const approved = () => ({ 'quorate-approvals': alice.authorise(request).intent! })
  const once = approved()
  t.is((await send(system.client.authorise(request), once)).status, 202)
  const again = await send(system.client.authorise(request), once)
  t.like({ status: again.status, code: again.json.code }, { status: 409, code: 'intent_reused' })
  t.is((await send(system.client.authorise(request), approved())).status, 202)
  t.deepEqual(await versions(), [2, 3])
  await t.notThrowsAsync(bringPolicyChanges(system, key))
})
