import { ed25519 } from '@noble/curves/ed25519.js'
import { base58 } from '@scure/base'
import test, { type ExecutionContext } from 'ava'
import { ChainFailure, type ChainNode, type SentTransaction, type WantedTransaction } from '../../../domain/ports/chain-node.ts'
import type { Sender } from '../../../domain/ports/transaction-codec.ts'
import { startFaultProxy } from '../../../test/chains/fault-proxy.ts'
import { type SolanaNode, startSolana } from '../../../test/chains/solana-node.ts'
import { openRpc } from '../rpc/rpc.ts'
import { RPC_DEFAULTS } from '../rpc/settings.ts'
import { addressOf } from './address.ts'
import { nodesOf } from './identity.ts'
import { solanaNode } from './node.ts'
import { SYSTEM, TOKEN, tokenAccountOf } from './programs.ts'
import { transactionsOf } from './transactions.ts'

const chain = { id: 'solana:localnet', nativeAsset: 'solana:localnet/slip44:501', feeCeiling: 10_000_000n }
const codec = transactionsOf(chain)

const party = (seed: number) => {
  const secret = new Uint8Array(32).fill(seed)
  const publicKey = ed25519.getPublicKey(secret)
  const sender: Sender = { scheme: 'frost-ed25519', publicKey, address: addressOf(publicKey) }
  return { secret, sender, address: sender.address }
}
const payer = party(1)
const receiver = party(2)
const mint = party(3).address
const nonceAccount = party(4).address
const token = `${chain.id}/token:${mint}`
const SOL = 1_000_000_000n

const wanted: WantedTransaction = {
  sender: payer.sender,
  asset: chain.nativeAsset,
  to: receiver.address,
  amount: SOL,
  fee: 'normal',
  maxFee: null,
  memo: null,
}
const plain = { nonce: null, taken: [], replaces: null }

async function start(t: ExecutionContext, nonceAccounts = {}): Promise<{ cluster: SolanaNode; node: ChainNode }> {
  const cluster = await startSolana()
  t.teardown(cluster.close)
  cluster.airdrop(payer.address, 10n * SOL)
  return { cluster, node: nodeOf([cluster.url], nonceAccounts) }
}

function nodeOf(endpoints: readonly string[], nonceAccounts = {}): ChainNode {
  const observer = { called() {}, changed() {} }
  const settings = { ...RPC_DEFAULTS, retries: 0 }
  const rpc = openRpc({ chain: chain.id, endpoints, nodes: nodesOf(chain.id), settings, observer })
  return solanaNode({ chain, confirmations: 1, finality: 32, pollMs: 1_000, rpc, nonceAccounts })
}

/** Builds it, and signs it as the parties would. */
async function signed(node: ChainNode, transfer: WantedTransaction, options = {}): Promise<SentTransaction & { unsigned: Uint8Array }> {
  const { unsigned, validity } = await node.build(transfer, { ...plain, ...options })
  const signatures = codec
    .messages(unsigned, transfer.sender)
    .map((message) => ({ signature: ed25519.sign(message, payer.secret), recoveryId: null }))
  const { raw, hash } = codec.attach(unsigned, transfer.sender, signatures)
  return { unsigned, validity, raw, hash, sender: transfer.sender, conflicts: codec.read(unsigned, transfer.sender).conflicts }
}

const failure = (code: string) => ({ instanceOf: ChainFailure, code }) as const

test('a transfer is made, sent, mined and final, and costs what it says', async (t) => {
  const { cluster, node } = await start(t)
  const { fee: most } = await node.quote({ ...wanted, memo: 'invoice 7' })
  const sent = await signed(node, { ...wanted, memo: 'invoice 7' })
  t.like(codec.read(sent.unsigned, payer.sender), {
    to: receiver.address,
    amount: SOL,
    asset: chain.nativeAsset,
    memo: 'invoice 7',
  })
  t.true(codec.read(sent.unsigned, payer.sender).fee <= most)
  t.deepEqual(await node.status(sent), { state: 'unknown' })
  await node.broadcast(sent)
  t.like(await node.status(sent), { state: 'included', outcome: 'succeeded', isFinal: false })
  cluster.advance(40)
  t.like(await node.status(sent), { state: 'included', isFinal: true })
  t.is((await node.balance(receiver.address, chain.nativeAsset)).amount, SOL)
  t.is((await node.balance(payer.address, chain.nativeAsset)).amount, 9n * SOL - codec.read(sent.unsigned, payer.sender).fee)
})

test('tokens go to an account that is opened for them, whose rent is part of the cost', async (t) => {
  const { cluster, node } = await start(t)
  cluster.mint(mint, 6, payer.address, 1_000n)
  const transfer = { ...wanted, asset: token, amount: 400n }
  const { fee } = await node.quote(transfer)
  const sent = await signed(node, transfer)
  await node.broadcast(sent)
  t.like(await node.status(sent), { state: 'included', outcome: 'succeeded', fee: codec.read(sent.unsigned, payer.sender).fee })
  t.true(fee >= 5_000n + 2_039_280n)
  t.is((await node.balance(receiver.address, token)).amount, 400n)
  t.is((await node.balance(payer.address, token)).amount, 600n)
  const again = await signed(node, transfer)
  await node.broadcast(again)
  t.like(await node.status(again), { state: 'included', fee: codec.read(again.unsigned, payer.sender).fee - 2_039_280n })
})

test('what cannot be is refused before it is made', async (t) => {
  const { cluster, node } = await start(t)
  const closed = party(9)
  cluster.mint(mint, 6, closed.address, 1n)
  await t.throwsAsync(node.quote({ ...wanted, amount: 100n }), failure('dust'))
  await t.throwsAsync(node.quote({ ...wanted, memo: 'ä'.repeat(129) }), failure('memo_not_supported'))
  await t.throwsAsync(node.quote({ ...wanted, asset: `${chain.id}/token:${receiver.address}` }), failure('asset_unknown'))
  await t.throwsAsync(node.quote({ ...wanted, asset: token }), failure('account_closed'))
  await t.throwsAsync(node.quote({ ...wanted, to: TOKEN }), failure('address_kind_not_supported'))
  await t.throwsAsync(node.quote({ ...wanted, to: mint }), failure('address_kind_not_supported'))
  await t.throwsAsync(node.quote({ ...wanted, maxFee: 4_999n }), failure('fee_too_high'))
  await t.notThrowsAsync(node.quote({ ...wanted, maxFee: 5_000n }))
})

test('what would leave the sender less than an account must hold is refused, and what leaves enough or nothing is not', async (t) => {
  const { cluster, node } = await start(t)
  const rent = cluster.svm.minimumBalanceForRentExemption(0n)
  // No more than the signature: then it costs the same whatever its limit of units is.
  const exact = { ...wanted, maxFee: 5_000n }
  const most = 10n * SOL - 5_000n
  for (const left of [1n, rent - 1n]) {
    const amount = most - left
    const error = await t.throwsAsync(node.quote({ ...exact, amount }), { ...failure('insufficient_funds'), message: /must keep/ })
    t.true((error as ChainFailure).isRefusal)
    await t.throwsAsync(node.build({ ...exact, amount }, plain), failure('insufficient_funds'))
  }
  await t.notThrowsAsync(node.quote({ ...exact, amount: most - rent }))
  const sent = await signed(node, { ...exact, amount: most })
  await node.broadcast(sent)
  t.like(await node.status(sent), { state: 'included', outcome: 'succeeded' })
  t.is((await node.balance(payer.address, chain.nativeAsset)).amount, 0n)
})

test('what the cluster does not take has a code, and is surely not done', async (t) => {
  const { cluster, node } = await start(t)
  const poor = await signed(node, { ...wanted, amount: 100n * SOL })
  await t.throwsAsync(node.broadcast(poor), { ...failure('insufficient_funds'), message: /does not take/ })
  const sent = await signed(node, wanted)
  await node.broadcast(sent)
  await t.notThrowsAsync(node.broadcast(sent), 'it is known already')
  const late = await signed(node, { ...wanted, amount: SOL / 2n })
  cluster.advance(200)
  const error = await t.throwsAsync(node.broadcast(late), failure('transaction_expired'))
  t.true((error as ChainFailure).isRefusal)
})

test('two transfers of as much to the same address are two transactions', async (t) => {
  const { node } = await start(t)
  const [one, other] = [await signed(node, wanted), await signed(node, wanted)]
  t.notDeepEqual(one.conflicts, other.conflicts)
  for (const sent of [one, other]) await node.broadcast(sent)
  t.is((await node.balance(receiver.address, chain.nativeAsset)).amount, 2n * SOL)
})

test('a transaction that was not mined in its time can never be; one that was is never taken for lost', async (t) => {
  const { cluster, node } = await start(t)
  const lost = await signed(node, wanted)
  const mined = await signed(node, { ...wanted, amount: 2n * SOL })
  await node.broadcast(mined)
  cluster.advance(160)
  t.deepEqual(await node.status(lost), { state: 'unknown' }, 'the last block is not final yet')
  cluster.advance(40)
  t.deepEqual(await node.status(lost), { state: 'impossible', reason: 'expired', by: null })
  t.like(await node.status(mined), { state: 'included', isFinal: true })
})

test('with a durable nonce a transaction lasts, and can be replaced and cancelled', async (t) => {
  const { cluster, node } = await start(t, { [payer.address]: [nonceAccount] })
  const nonceOf = (value: Uint8Array) => {
    const data = Buffer.alloc(80)
    data.writeUInt32LE(1, 0)
    data.writeUInt32LE(1, 4)
    data.set(base58.decode(payer.address), 8)
    data.set(value, 40)
    data.writeBigUInt64LE(5_000n, 72)
    return data
  }
  cluster.setAccount(nonceAccount, SYSTEM, nonceOf(new Uint8Array(32).fill(9)))
  const first = await signed(node, wanted)
  const [conflict] = first.conflicts
  t.regex(conflict!, /^durable-nonce:/)
  t.deepEqual((await signed(node, wanted)).unsigned, first.unsigned, 'of a limit by chance the faster one could have less than this one')
  const faster = await signed(node, wanted, { replaces: { unsigned: first.unsigned, as: 'acceleration' } })
  const cancelling = await signed(node, wanted, { replaces: { unsigned: faster.unsigned, as: 'cancellation' } })
  t.deepEqual([faster.conflicts, cancelling.conflicts], [[conflict], [conflict]])
  t.true(codec.read(faster.unsigned, payer.sender).fee > codec.read(first.unsigned, payer.sender).fee)
  t.is(codec.read(cancelling.unsigned, payer.sender).kind, 'cancellation')
  const beside = await signed(node, { ...wanted, amount: 1n }, { taken: [conflict!] }).catch((error: ChainFailure) => error.code)
  t.is(beside, 'dust')
  t.regex((await signed(node, { ...wanted, amount: SOL / 4n }, { taken: [conflict!] })).conflicts.join(), /^message:/)

  cluster.advance(1_000)
  t.deepEqual(await node.status(first), { state: 'unknown' })
  cluster.setAccount(nonceAccount, SYSTEM, nonceOf(new Uint8Array(32).fill(10)))
  t.deepEqual(await node.status(first), { state: 'impossible', reason: 'replaced', by: null })
  await t.throwsAsync(
    node.build(wanted, { ...plain, replaces: { unsigned: first.unsigned, as: 'cancellation' } }),
    failure('not_replaceable'),
  )
  const { unsigned } = await signed(node, wanted, {
    taken: [`durable-nonce:${nonceAccount}:${base58.encode(new Uint8Array(32).fill(10))}`],
  })
  await t.throwsAsync(node.build(wanted, { ...plain, replaces: { unsigned, as: 'cancellation' } }), failure('not_replaceable'))
})

test('deposits are found once, of the coin and of tokens, and none that left', async (t) => {
  const { cluster, node } = await start(t)
  cluster.mint(mint, 6, payer.address, 1_000n)
  const watched = new Set([receiver.address])
  const begin = await node.deposits(watched, null)
  t.deepEqual(begin.found, [])
  for (const transfer of [wanted, { ...wanted, asset: token, amount: 7n }]) await node.broadcast(await signed(node, transfer))
  cluster.advance(20)
  const { found, cursor } = await node.deposits(watched, begin.cursor)
  t.deepEqual(
    found.map(({ to, asset, amount, from }) => ({ to, asset, amount, from })).sort((one, other) => one.asset.localeCompare(other.asset)),
    [
      { to: receiver.address, asset: chain.nativeAsset, amount: SOL, from: payer.address },
      { to: receiver.address, asset: token, amount: 7n, from: payer.address },
    ],
  )
  t.is((await node.standing(found[0]!))?.block.hash, found[0]!.block.hash)
  t.is(await node.standing({ ...found[0]!, hash: base58.encode(new Uint8Array(64).fill(1)) }), null)
  cluster.advance(20)
  t.deepEqual((await node.deposits(watched, cursor)).found, [])
  t.deepEqual((await node.deposits(new Set([payer.address]), begin.cursor)).found, [])
})

test('an account that holds more than a number of JSON can say hides no transaction that names it', async (t) => {
  const { cluster, node } = await start(t)
  const whale = party(7)
  cluster.setAccount(whale.address, SYSTEM, new Uint8Array(), 10_000_000n * SOL)
  const begin = await node.deposits(new Set([payer.address, receiver.address]), null)
  const sent = await signed(node, { ...wanted, to: whale.address })
  await node.broadcast(sent)
  await node.broadcast(await signed(node, wanted))
  t.like(await node.status(sent), { state: 'included', outcome: 'succeeded', fee: codec.read(sent.unsigned, payer.sender).fee })
  cluster.advance(20)
  const { found } = await node.deposits(new Set([payer.address, receiver.address]), begin.cursor)
  t.like(found, [{ to: receiver.address, amount: SOL }])
})

test('where nobody has a key something is paid only when a program keeps coins there already', async (t) => {
  const { cluster, node } = await start(t)
  cluster.mint(mint, 6, payer.address, 1_000n)
  const vault = tokenAccountOf(payer.address, receiver.address)
  for (const asset of [chain.nativeAsset, token])
    await t.throwsAsync(node.quote({ ...wanted, asset, to: vault }), failure('address_kind_not_supported'))
  cluster.airdrop(vault, SOL)
  for (const asset of [chain.nativeAsset, token]) {
    const sent = await signed(node, { ...wanted, asset, amount: 10n, to: vault })
    await node.broadcast(sent)
    t.like(await node.status(sent), { state: 'included', outcome: 'succeeded' })
  }
})

test('that a transaction can never be mined has to be said by every endpoint that answers', async (t) => {
  const { cluster, node } = await start(t)
  const proxy = await startFaultProxy(cluster.url)
  t.teardown(proxy.close)
  const sent = await signed(node, wanted)
  await node.broadcast(sent)
  cluster.advance(200)
  const asked = (endpoints: readonly string[]) => nodeOf(endpoints).status(sent)
  // A node that has lost its history.
  proxy.fault = ({ method }) =>
    method === 'getSignatureStatuses' ? { kind: 'result', result: { context: { slot: 2_000 }, value: [null] } } : undefined
  t.like(await asked([proxy.url]), { state: 'impossible', reason: 'expired' })
  t.like(await asked([proxy.url, cluster.url]), { state: 'included' })
  t.like(await asked([proxy.url, 'http://127.0.0.1:1']), { state: 'impossible' })
})

test('a block has a depth as long as it is in its place, which a node that is behind cannot tell', async (t) => {
  const { cluster, node } = await start(t)
  const proxy = await startFaultProxy(cluster.url)
  t.teardown(proxy.close)
  cluster.mint(mint, 6, payer.address, 7n)
  const seen = await node.balance(payer.address, token)
  t.is(seen.amount, 7n)
  t.is(await node.depth(seen.block), 1)
  cluster.advance(3)
  t.is(await node.depth(seen.block), 4)
  t.is(await node.depth({ ...seen.block, hash: party(5).address }), null)
  proxy.fault = ({ method }) => (method === 'getBlocks' ? { kind: 'result', result: [] } : undefined)
  t.is(await nodeOf([proxy.url]).depth(seen.block), null)
  await t.throwsAsync(node.depth({ ...seen.block, height: seen.block.height + 9n }), failure('chain_unavailable'))
})
