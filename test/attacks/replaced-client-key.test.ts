/** A client key was stolen, and has been replaced: from then on nobody asks with it, and who has stolen it cannot have it put back. */
import test from 'ava'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { BITCOIN, BITCOINS, bitcoinTransaction, chains, senderOf } from '../transactions.ts'
import { askToChangePolicy, askToDestroy, askToSign, PARTY, post, signatureRequest } from './coordinator.ts'
import { askForTransaction, transferRequest } from './transfers.ts'

let system: TestSystem

test.before(async () => {
  system = await startTestSystem({ parties: 1, chains })
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

test('what was asked for with it is not signed any more, nor done faster, and the new key can cancel it at a bounded cost', async (t) => {
  const to = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'
  for (const [name, kid] of [
    ['another name', 'fresh'],
    ['the same name', system.client.key.kid],
  ] as const) {
    const walletId = await system.createWallet()
    const key = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })
    const owner = createSigner(kid)
    const feeCeiling = chains.get(BITCOIN)!.feeCeiling
    const transfer = transferRequest(system, walletId, {
      ...{ chain: BITCOIN, asset: BITCOINS, to, amount: '50000' },
      maxFee: String(2n * feeCeiling),
    })
    const change = post(`/v1/wallets/${walletId}/policy`, { policy: {}, clientKeys: [owner.key] })
    const changed = { version: 2, authorisation: system.client.authorise(change), approvals: [] }
    t.deepEqual(await askToChangePolicy(system, key, changed), { type: 'policyChanged', version: 2 })

    let coin = 0
    const ask = (payments: { to: string; amount: bigint }[], fee: bigint, wish?: [what: 'cancel' | 'accelerate', body: object]) =>
      askForTransaction(system, key, transfer, {
        chain: BITCOIN,
        unsigned: bitcoinTransaction(senderOf(key, BITCOIN), payments, { coins: Array.from({ length: 4 }, () => ++coin), fee }),
        ...(wish && { replacement: owner.authorise(post(`/v1/transfers/${transfer.transferId}/${wish[0]}`, wish[1])) }),
      })
    const payment = { to, amount: 50_000n }
    const code = name === 'another name' ? 'intent_unknown_key' : 'intent_signature_invalid'
    t.like(await ask([payment], 1_000n), { type: 'refused', code }, name)
    t.like(await ask([payment], 1_000n, ['accelerate', { fee: 'high' }]), { type: 'refused', code }, name)
    t.like(await ask([], feeCeiling + 1n, ['cancel', {}]), { type: 'refused', code: 'fee_too_high' }, name)
    t.like(await ask([], 1_001n, ['cancel', { maxFee: '1000' }]), { type: 'refused', code: 'fee_too_high' }, name)
    t.like(await ask([], 1_000n, ['cancel', { maxFee: '1000' }]), { type: 'contributed' }, name)
  }
})
