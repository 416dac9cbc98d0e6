import anyTest from 'ava'
import { load } from '../../commands/load.ts'
import { ChainFailure, type ChainNode } from '../../domain/ports/chain-node.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { requireSession, signingSession } from '../../domain/signing-session/signing-session.ts'
import { DEFAULT_POLICY } from '../../domain/wallet/policy.ts'
import type { BuiltTransaction } from '../../domain/wallet/transfers/events.ts'
import { type Bench, CHAIN, ETHER, STRANGER, startBench } from './bench.ts'

/** One after another: each has a node and a log of its own. */
const test = anyTest.serial

const STEPS = [
  'TransferRequested',
  'FundsReserved',
  'NonceAllocated',
  'TransferBuilt',
  'TransferSigned',
  'TransferBroadcast',
  'TransferConfirmed',
  'TransferFinalized',
  'FundsReleased',
]

const received = async ({ node, chain }: Bench) => (await node.balance(STRANGER, chain.nativeAsset)).amount

test('a transfer goes through every step, and what it has cost is what is gone', async (t) => {
  const bench = await startBench(t)
  const { failures } = bench.coordinate()
  await bench.fund(ETHER)
  const transferId = await bench.request({ amount: 12_345n, memo: 'a note' })
  await bench.reaches(transferId, 'finalized')
  t.deepEqual(await bench.typesOf(transferId), STEPS)
  t.is(await received(bench), 12_345n)
  await bench.reconciled(t)
  t.deepEqual(failures, [])
})

test('a coordinator that dies after any step is followed by one that goes on, and nothing is signed or paid twice', async (t) => {
  const bench = await startBench(t)
  const first = bench.coordinate()
  await bench.fund(ETHER)
  await first.crash()
  // Nonce and build, session, signature, broadcast, block and end.
  for (let appends = 0; appends <= 5; appends++) {
    const before = await received(bench)
    const signedBefore = bench.signer.signed.length
    const mortal = bench.coordinate({ appends })
    const transferId = await bench.request({ amount: 10n })
    await Promise.race([mortal.gone, bench.reaches(transferId, 'finalized')])
    await mortal.crash()
    const next = bench.coordinate()
    await bench.reaches(transferId, 'finalized')
    t.deepEqual(await bench.typesOf(transferId), STEPS, `after ${appends}`)
    t.is((await received(bench)) - before, 10n)
    t.is(bench.signer.signed.length - signedBefore, 1)
    await next.crash()
  }
  await bench.reconciled(t)
})

test('of two coordinators at the same transfers each step is taken once, and no nonce is left out or used twice', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  bench.coordinate()
  await bench.fund(ETHER)
  const ids: string[] = []
  for (let i = 0; i < 12; i++) ids.push(await bench.request({ amount: 1n }))
  for (const id of ids) await bench.reaches(id, 'finalized')
  for (const id of ids) t.deepEqual(await bench.typesOf(id), STEPS)
  const nonces = (await bench.events()).flatMap(({ type, data }) => (type === 'NonceAllocated' ? [(data as { nonce: string }).nonce] : []))
  t.deepEqual(
    nonces,
    ids.map((_, index) => String(index)),
  )
  t.is(await received(bench), 12n)
  t.is(bench.signer.signed.length, 12)
  await bench.reconciled(t)
})

for (const [what, breaking] of [
  [
    'was taken though it seemed lost',
    (node: ChainNode): ChainNode['broadcast'] =>
      async (transaction) => {
        await node.broadcast(transaction)
        throw new ChainFailure('chain_unavailable', 'the answer was lost', false)
      },
  ],
  [
    'never reached a node',
    () => async () => {
      throw new ChainFailure('chain_unavailable', 'it was lost', false)
    },
  ],
] as const) {
  test(`a broadcast that ${what} is settled by asking the chain, never by signing again`, async (t) => {
    const bench = await startBench(t)
    let broken = 3
    const sent: string[] = []
    bench.nodesSeenAs((node) => ({
      ...node,
      broadcast(transaction) {
        sent.push(Buffer.from(transaction.raw).toString('hex'))
        return broken-- > 0 ? breaking(node)(transaction) : node.broadcast(transaction)
      },
    }))
    bench.coordinate()
    await bench.fund(ETHER)
    const transferId = await bench.request({ amount: 7n })
    await bench.reaches(transferId, 'finalized')
    t.deepEqual(await bench.typesOf(transferId), STEPS)
    t.is(new Set(sent).size, 1)
    t.is(bench.signer.signed.length, 1)
    t.is(await received(bench), 7n)
    await bench.reconciled(t)
  })
}

test('a reorganisation moves transfers back, which are mined again', async (t) => {
  const bench = await startBench(t, { settings: { confirmations: 2, finality: 6 } })
  const { anvil } = bench
  bench.coordinate()
  const mining = setInterval(() => void anvil.mine(1), 50)
  await bench.fund(ETHER)
  await bench.until(({ deposits }) => Object.keys(deposits.pending).length === 0)
  clearInterval(mining)
  await anvil.mine(10)

  const snapshot = await anvil.call('evm_snapshot')
  const ids = [await bench.request({ amount: 3n }), await bench.request({ amount: 4n })]
  for (const id of ids) await bench.reaches(id, 'confirming', 'confirmed')
  await anvil.mine(1)
  for (const id of ids) await bench.reaches(id, 'confirmed')
  await anvil.call('evm_revert', snapshot)
  // Another chain is longer than the one that was seen.
  await anvil.call('anvil_setNextBlockBaseFeePerGas', '0x10')
  await anvil.mine(3)
  const again = setInterval(() => void anvil.mine(1), 50)
  for (const id of ids) await bench.reaches(id, 'finalized')
  clearInterval(again)
  for (const id of ids) {
    const types = await bench.typesOf(id)
    const at = types.indexOf('TransferReorganised')
    t.true(at > types.indexOf('TransferConfirmed'))
    t.true(types.indexOf('TransferConfirmed', at) > at)
  }
  t.is(await received(bench), 7n)
  t.is(bench.signer.signed.length, 2)
  await bench.reconciled(t)
})

test('what is not mined for long is said to be stuck, and done faster on request', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  await bench.fund(ETHER)
  await bench.anvil.call('evm_setAutomine', false)
  const transferId = await bench.request({ amount: 5n })
  await bench.reaches(transferId, 'stuck')
  t.is((await bench.wallet()).transfers[transferId]?.stuck?.reason, 'not_mined')
  await bench.replace(transferId, 'accelerate')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.at(1)?.isBroadcast === true)
  await bench.anvil.mine(1)
  await bench.reaches(transferId, 'finalized')
  const finalized = (await bench.events()).find(({ type }) => type === 'TransferFinalized')
  t.is((finalized!.data as { version: number }).version, 2)
  t.is(await received(bench), 5n)
  await bench.reconciled(t)
})

test('what was to take the place of a transaction that is mined meanwhile does not keep that from being seen', async (t) => {
  const bench = await startBench(t, { settings: { confirmations: 2, finality: 4 } })
  const raws = new Set<string>()
  bench.nodesSeenAs((node) => ({
    ...node,
    async broadcast(transaction) {
      const before = raws.size
      raws.add(Buffer.from(transaction.raw).toString('hex'))
      if (before === 1 && raws.size === 2) await bench.anvil.mine(1)
      return node.broadcast(transaction)
    },
  }))
  bench.coordinate()
  const funding = setInterval(() => void bench.anvil.mine(1), 100)
  await bench.fund(ETHER)
  clearInterval(funding)
  await bench.anvil.call('evm_setAutomine', false)
  const transferId = await bench.request({ amount: 5n })
  await bench.reaches(transferId, 'broadcasting')
  await bench.replace(transferId, 'accelerate')
  await bench.reaches(transferId, 'confirming')
  await bench.anvil.mine(5)
  await bench.reaches(transferId, 'finalized')
  t.is(await received(bench), 5n)
  await bench.reconciled(t)
})

test('what is sent can be cancelled until it is mined: another transaction takes its place, and the amount stays', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  await bench.fund(ETHER)
  await bench.anvil.call('evm_setAutomine', false)
  const transferId = await bench.request({ amount: 5n })
  await bench.reaches(transferId, 'broadcasting')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.at(1)?.isBroadcast === true)
  await bench.anvil.mine(1)
  await bench.reaches(transferId, 'cancelled')
  t.is(await received(bench), 0n)
  await bench.reconciled(t)
  await bench.anvil.call('evm_setAutomine', true)
  const next = await bench.request({ amount: 6n })
  await bench.reaches(next, 'finalized')
  t.is(await received(bench), 6n)
})

test('what could not be signed is signed again, the very same; what nobody will sign stays until it is cancelled in the chain', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  await bench.fund(ETHER)
  bench.signer.refuse(2, 'quorum_unavailable')
  const first = await bench.request({ amount: 1n })
  await bench.reaches(first, 'finalized')
  t.is((await bench.typesOf(first)).filter((type) => type === 'TransferBuilt').length, 1)

  bench.signer.refuse(1, 'policy_forbids')
  const second = await bench.request({ amount: 2n })
  await bench.reaches(second, 'stuck')
  t.is((await bench.wallet()).transfers[second]?.stuck?.reason, 'policy_forbids')
  await bench.replace(second, 'cancel')
  await bench.reaches(second, 'cancelled')
  const third = await bench.request({ amount: 4n })
  await bench.reaches(third, 'finalized')
  t.is(await received(bench), 5n)
  t.is(await bench.node.nextNonce(bench.address), 3n)
  await bench.reconciled(t)
})

test('a cancellation is signed by no more than the threshold, whatever the policy wants for the transfer', async (t) => {
  const tiers = [{ id: 'all', above: { asset: `${CHAIN}/slip44:60`, amount: '0' }, signers: 3 }]
  const bench = await startBench(t, { policy: { ...DEFAULT_POLICY, transfers: { tiers } } })
  bench.coordinate()
  await bench.fund(ETHER)
  bench.signer.refuse(1, 'approvals_missing')
  const transferId = await bench.request()
  await bench.reaches(transferId, 'stuck')
  await bench.replace(transferId, 'cancel')
  await bench.reaches(transferId, 'cancelled')
  const built = (await bench.events()).filter(({ type }) => type === 'TransferBuilt').map(({ data }) => data as BuiltTransaction)
  const sessions = await Promise.all(
    built.map(({ sessionIds: [id] }) => load(bench.log, { decider: signingSession, stream: signingSessionStream(id!) })),
  )
  t.deepEqual(
    sessions.map(({ state }) => requireSession(state).transfer?.signers),
    [3, 0],
  )
})

test('what any attempt may have had parties put aside is given to no other transfer, whatever has become of the last one', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  await bench.fund(ETHER)
  bench.signer.refuse(4, 'quorum_unavailable')
  bench.signer.refuse(1, 'quorum_unavailable', 'unasked')
  const first = await bench.request({ amount: 1n })
  await bench.reaches(first, 'stuck', 'failed')
  t.is(await bench.status(first), 'stuck')

  bench.signer.refuse(1, 'key_not_active', 'unasked')
  await bench.replace(first, 'cancel')
  await bench.until(({ transfers }) => !transfers[first] || transfers[first].stuck?.reason === 'key_not_active')
  t.is(await bench.status(first), 'stuck')
  await bench.replace(first, 'cancel')
  await bench.reaches(first, 'cancelled')

  bench.signer.refuse(5, 'quorum_unavailable', 'unasked')
  const unasked = await bench.request({ amount: 2n })
  await bench.reaches(unasked, 'stuck', 'failed')
  t.is(await bench.status(unasked), 'failed')
  const next = await bench.request({ amount: 4n })
  await bench.reaches(next, 'finalized')
  t.is(await bench.node.nextNonce(bench.address), 2n)
  await bench.reconciled(t)
})

test('a frozen wallet builds, signs and sends nothing, and goes on when it is unfrozen', async (t) => {
  const bench = await startBench(t)
  const { failures } = bench.coordinate()
  await bench.fund(ETHER)
  const release = bench.signer.hold()
  const transferId = await bench.request({ amount: 1n })
  await bench.reaches(transferId, 'signing')
  await bench.command({ type: 'Freeze', reason: 'test' })
  release()
  const other = await bench.until(({ status }) => status === 'frozen')
  t.is(other, undefined)
  await bench.anvil.mine(3)
  t.is(await bench.status(transferId), 'signing')
  t.is(await received(bench), 0n)
  await bench.command({ type: 'Unfreeze', reason: 'test' })
  await bench.reaches(transferId, 'finalized')
  t.deepEqual(failures, [])
})

test('a replacement that nobody signs can be asked for again', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  await bench.fund(ETHER)
  await bench.anvil.call('evm_setAutomine', false)
  const transferId = await bench.request({ amount: 5n })
  await bench.reaches(transferId, 'broadcasting')
  bench.signer.refuse(1, 'intent_expired')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.stuck?.reason === 'intent_expired')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.at(2)?.isBroadcast === true)
  await bench.anvil.mine(1)
  await bench.reaches(transferId, 'cancelled')
  t.is(await received(bench), 0n)
  await bench.reconciled(t)
})

test('a time lock is waited for, by whichever coordinator there is when it ends', async (t) => {
  const tiers = [{ id: 'slow', above: { asset: `${CHAIN}/slip44:60`, amount: '5' }, delaySeconds: 3_600 }]
  const bench = await startBench(t, { policy: { ...DEFAULT_POLICY, transfers: { tiers } } })
  const first = bench.coordinate()
  await bench.fund(ETHER)
  const locked = await bench.request({ amount: 6n }, { agoMs: 3_600_000 - 10_000 })
  const { notBefore } = (await bench.wallet()).transfers[locked]!.requires
  const free = await bench.request({ amount: 5n })
  await bench.reaches(free, 'finalized')
  t.deepEqual(await bench.typesOf(locked), STEPS.slice(0, 2), 'what is not locked goes before it')
  await first.crash()
  bench.coordinate()
  await bench.reaches(locked, 'finalized')
  const built = (await bench.events()).find(
    ({ type, data }) => type === 'TransferBuilt' && (data as { transferId: string }).transferId === locked,
  )
  t.true(Date.parse(built!.metadata.occurredAt) >= Date.parse(notBefore!))
  t.is(await received(bench), 11n)
  await bench.reconciled(t)
})

test('what is cancelled while it is being signed is not signed any more', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  await bench.fund(ETHER)
  const release = bench.signer.hold()
  const transferId = await bench.request({ amount: 5n })
  await bench.reaches(transferId, 'signing')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.length === 2)
  const [first] = (await bench.wallet()).transfers[transferId]!.transactions
  while ((await bench.session(first!.sessionIds[0]!)) !== 'cancelled') await new Promise((resolve) => setTimeout(resolve, 20))
  release()
  await bench.reaches(transferId, 'cancelled')
  t.is(await received(bench), 0n)
  await bench.reconciled(t)
})

test('what is not approved in time expires by itself, and what was reserved is given back', async (t) => {
  const approver = { kid: 'alice', kty: 'OKP', crv: 'Ed25519', x: 'AA' } as const
  const bench = await startBench(t, { policy: { rawDigests: false, approvals: { required: 1, approvers: [approver] } } })
  bench.coordinate()
  await bench.fund(ETHER)
  const transferId = await bench.request({ amount: 5n }, { agoMs: 24 * 60 * 60_000 - 10_000 })
  t.is(await bench.status(transferId), 'pending_approval')
  t.true((await bench.available()) < ETHER)
  await bench.reaches(transferId, 'expired')
  t.is(await bench.available(), ETHER)
  t.is(bench.signer.signed.length, 0)
})

test('what waits for approvals that a changed policy does not want any more goes on', async (t) => {
  const approver = { kid: 'alice', kty: 'OKP', crv: 'Ed25519', x: 'AA' } as const
  const bench = await startBench(t, { policy: { rawDigests: false, approvals: { required: 1, approvers: [approver] } } })
  bench.coordinate()
  await bench.fund(ETHER)
  const transferId = await bench.request({ amount: 5n })
  t.is(await bench.status(transferId), 'pending_approval')
  const authorisation = { method: 'POST', path: `/v1/wallets/${bench.walletId}/policy`, body: '{}', intent: null }
  await bench.command({ type: 'ChangePolicy', policy: { rawDigests: false }, authorisation, approvals: [], intents: [] })
  await bench.reaches(transferId, 'finalized')
  t.is(await received(bench), 5n)
})
