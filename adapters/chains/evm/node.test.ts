import anyTest, { type ExecutionContext } from 'ava'
import {
  ChainFailure,
  type ChainFailureCode,
  type ChainNode,
  type Deposit,
  type WantedTransaction,
} from '../../../domain/ports/chain-node.ts'
import { type Anvil, type AnvilOptions, deploy, mined, RICH, sendTokens, startAnvil } from '../../../test/chains/anvil.ts'
import { evmAccount } from '../../../test/chains/evm-account.ts'
import { ETHER, type EvmBench, evmBench, STRANGER } from '../../../test/chains/evm-bench.ts'
import { startFaultProxy } from '../../../test/chains/fault-proxy.ts'
import { FICKLE_TOKEN, FORWARDER, SILENT_TOKEN, TAXED_TOKEN, TOKEN, UNWILLING_TOKEN } from '../../../test/chains/tokens.ts'
import { addressWord } from './erc20.ts'
import { readTransaction } from './transaction-fields.ts'

/** One after another: each has a node to itself, and nodes have timeouts. */
const test = anyTest.serial

/** Shared by tests that do not mind blocks of others. */
let shared: Anvil
let sharedToken: string
anyTest.before(async () => {
  shared = await startAnvil()
  sharedToken = await deploy(shared, TOKEN, 10n ** 30n)
})
anyTest.after.always(() => shared.kill())

async function onShared(t: ExecutionContext, settings: object = {}): Promise<EvmBench> {
  const bench = await evmBench(shared, settings)
  t.teardown(() => bench.close())
  return bench
}

async function onItsOwn(t: ExecutionContext, options: AnvilOptions = {}, settings: object = {}): Promise<EvmBench> {
  const anvil = await startAnvil(options)
  t.teardown(() => anvil.kill())
  const bench = await evmBench(anvil, settings)
  t.teardown(() => bench.close())
  return bench
}

const tokenAsset = (token: string) => `eip155:31337/erc20:${token}`

async function fails(t: ExecutionContext, code: ChainFailureCode, work: Promise<unknown>): Promise<ChainFailure> {
  const error = await t.throwsAsync(work, { instanceOf: ChainFailure })
  t.is(error!.code, code, error!.message)
  return error!
}

async function balanceOf(node: ChainNode, address: string, asset: string): Promise<bigint> {
  return (await node.balance(address, asset)).amount
}

test('a coin is quoted, sent, and seen until it is final; what it has cost is what is gone', async (t) => {
  const { node, chain, make, included, richAccount, anvil } = await onItsOwn(t, {}, { confirmations: 2, finality: 3 })
  t.like(node, { chain: 'eip155:31337', confirmations: 2, finality: 3, pollMs: 250 })
  const account = await richAccount()
  const wanted: WantedTransaction = {
    sender: account.sender,
    asset: chain.nativeAsset,
    to: STRANGER,
    amount: 5n,
    fee: 'low',
    maxFee: null,
    memo: null,
  }
  const { fee: quoted } = await node.quote(wanted)
  const { sent } = await make(account, wanted)
  t.deepEqual(await node.status(sent), { state: 'unknown' })
  await node.broadcast(sent)
  await node.broadcast(sent)
  const status = await included(sent)
  t.like(status, { outcome: 'succeeded', confirmations: 1, isFinal: false })
  t.true(status.fee <= quoted)
  t.is(await balanceOf(node, account.address, chain.nativeAsset), 10n * ETHER - 5n - status.fee)
  t.is(await balanceOf(node, STRANGER, chain.nativeAsset), 5n)
  await anvil.mine(2)
  t.like(await node.status(sent), { state: 'included', confirmations: 3, isFinal: true, block: status.block })
  t.is(await node.nextNonce(account.address), 1n)
})

test('a token is sent, in the one transaction that is paid for in coins', async (t) => {
  const { node, make, included, richAccount, chain } = await onShared(t)
  const account = await richAccount()
  const asset = tokenAsset(chain.readAsset(tokenAsset(sharedToken), '').token!)
  await sendTokens(shared, sharedToken, account.address, 100n)
  const to = evmAccount().address
  const { sent } = await make(account, { asset, to, amount: 30n })
  await node.broadcast(sent)
  t.like(await included(sent), { outcome: 'succeeded' })
  t.is(await balanceOf(node, to, asset), 30n)
  t.is(await balanceOf(node, account.address, asset), 70n)
})

test('two hundred transactions of one account are mined, each with a nonce of its own', async (t) => {
  // However long so many take on a machine that is busy with something else.
  const { node, make, richAccount, anvil } = await onItsOwn(
    t,
    { args: ['--no-mining'] },
    { rpc: { timeoutMs: 60_000, deadlineMs: 60_000 } },
  )
  const account = await richAccount()
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, nonce) => make(account, { amount: BigInt(nonce + 1) }, { nonce: BigInt(nonce) })),
  )
  await Promise.all(all.map(({ sent }) => node.broadcast(sent)))
  t.is(await node.nextNonce(account.address), 200n)
  await anvil.mine(1)
  const states = await Promise.all(all.map(({ sent }) => node.status(sent)))
  t.true(states.every((status) => status.state === 'included' && status.outcome === 'succeeded'))
})

for (const as of ['acceleration', 'cancellation'] as const) {
  test(`a transaction that waits is taken over by its ${as}, for an eighth more, and is impossible then`, async (t) => {
    const { node, codec, make, richAccount, anvil } = await onItsOwn(t, { args: ['--no-mining'] })
    const account = await richAccount()
    const first = await make(account, { amount: 7n })
    await node.broadcast(first.sent)
    t.deepEqual(await node.status(first.sent), { state: 'pending' })
    const second = await make(account, { amount: 7n }, { nonce: null, replaces: { unsigned: first.unsigned, as } })
    const [before, after] = [readTransaction(first.unsigned), readTransaction(second.unsigned)]
    if (before.fees.kind !== 'dynamic' || after.fees.kind !== 'dynamic') return t.fail('not as in EIP-1559')
    t.true(after.fees.maxFee * 8n >= before.fees.maxFee * 9n)
    t.true(after.fees.tip * 8n >= before.fees.tip * 9n)
    t.is(after.nonce, before.nonce)
    t.like(
      codec.read(second.unsigned, account.sender),
      as === 'acceleration' ? { kind: 'transfer', amount: 7n, to: STRANGER } : { kind: 'cancellation' },
    )
    t.deepEqual(codec.read(second.unsigned, account.sender).conflicts, codec.read(first.unsigned, account.sender).conflicts)
    await node.broadcast(second.sent)
    await anvil.mine(1)
    t.like(await node.status(second.sent), { state: 'included', outcome: 'succeeded' })
    t.deepEqual(await node.status(first.sent), { state: 'impossible', reason: 'replaced', by: second.sent.hash })
  })
}

test('what another transaction has taken the nonce of is not given up before that one is final', async (t) => {
  const { node, make, included, richAccount, anvil } = await onItsOwn(t, {}, { confirmations: 1, finality: 3 })
  const account = await richAccount()
  const [one, other] = [await make(account, { amount: 1n }), await make(account, { amount: 2n })]
  await node.broadcast(one.sent)
  await included(one.sent)
  const error = await fails(t, 'nonce_too_low', node.broadcast(other.sent))
  // It might have been this very one that was mined: the chain has to be asked.
  t.false(error.isRefusal)
  t.deepEqual(await node.status(other.sent), { state: 'unknown' })
  await anvil.mine(2)
  t.deepEqual(await node.status(other.sent), { state: 'impossible', reason: 'replaced', by: one.sent.hash })
  await anvil.mine(130)
  t.deepEqual(
    await node.status(other.sent),
    { state: 'pending' },
    'nobody can tell any more what it was, so that it may have been this one',
  )
})

test('a replacement that would cost more than is allowed is not made', async (t) => {
  const { codec, make, richAccount } = await onShared(t)
  const account = await richAccount()
  const first = await make(account, {})
  const { fee } = codec.read(first.unsigned, account.sender)
  const error = await fails(
    t,
    'fee_too_high',
    make(account, { maxFee: fee }, { replaces: { unsigned: first.unsigned, as: 'acceleration' } }),
  )
  t.true(error.isRefusal)
})

test('the most that a fee may be takes the room for a rise first, and is kept', async (t) => {
  const { codec, make, richAccount } = await onItsOwn(t)
  const account = await richAccount()
  const feeOf = async (maxFee: bigint | null) => codec.read((await make(account, { maxFee })).unsigned, account.sender).fee
  const full = await feeOf(null)
  const less = (full * 3n) / 4n
  t.true((await feeOf(less)) <= less)
  await fails(t, 'fee_too_high', feeOf(full / 4n))
})

test('higher levels may cost more', async (t) => {
  const { node, chain, richAccount } = await onItsOwn(t)
  const { sender } = await richAccount()
  const fees = await Promise.all(
    (['low', 'normal', 'high'] as const).map((fee) =>
      node.quote({ sender, asset: chain.nativeAsset, to: STRANGER, amount: 1n, fee, maxFee: null, memo: null }),
    ),
  )
  t.true(fees[0]!.fee < fees[1]!.fee && fees[1]!.fee < fees[2]!.fee)
})

test('on a chain from before EIP-1559 transactions have one price', async (t) => {
  const { node, make, richAccount } = await onItsOwn(t, { args: ['--hardfork', 'berlin', '--no-mining'] })
  const account = await richAccount()
  const first = await make(account, {})
  t.is(readTransaction(first.unsigned).fees.kind, 'legacy')
  await node.broadcast(first.sent)
  const second = await make(account, {}, { replaces: { unsigned: first.unsigned, as: 'acceleration' } })
  await node.broadcast(second.sent)
  t.deepEqual(await node.status(second.sent), { state: 'pending' })
})

test('a call that fails when it is mined is reverted, and has cost its fee', async (t) => {
  const { node, make, included, richAccount, anvil } = await onItsOwn(t)
  const token = await deploy(anvil, TOKEN, 10n ** 30n)
  const account = await richAccount()
  await sendTokens(anvil, token, account.address, 10n)
  const asset = tokenAsset(token)
  const spends = await Promise.all([0n, 1n].map((nonce) => make(account, { asset, amount: 10n }, { nonce })))
  for (const { sent } of spends) await node.broadcast(sent)
  t.like(await included(spends[0]!.sent), { outcome: 'succeeded' })
  const failed = await included(spends[1]!.sent)
  t.is(failed.outcome, 'reverted')
  t.true(failed.fee > 0n)
})

for (const [what, contract, moved] of [
  ['a token that returns nothing', SILENT_TOKEN, { left: 10n, received: 10n }],
  ['a token that keeps a part, and charges another on top', TAXED_TOKEN, { left: 11n, received: 9n }],
] as const) {
  test(`${what} moves what its logs say`, async (t) => {
    const { make, node, included, richAccount } = await onShared(t)
    const account = await richAccount()
    const token = await deploy(shared, contract, 10n ** 30n)
    await sendTokens(shared, token, account.address, 20n)
    const asset = tokenAsset(token)
    const { sent } = await make(account, { asset, amount: 10n })
    await node.broadcast(sent)
    t.like(await included(sent), { outcome: 'succeeded', moved })
    t.is((await node.balance(account.address, asset)).amount, 20n - moved.left)
    t.is((await node.balance(STRANGER, asset)).amount, moved.received)
  })
}

test('a token that says no when it comes to it, and does not revert, has moved nothing', async (t) => {
  const { make, node, included, richAccount } = await onShared(t)
  const account = await richAccount()
  const token = await deploy(shared, FICKLE_TOKEN, 10n ** 30n)
  await sendTokens(shared, token, account.address, 20n)
  const asset = tokenAsset(token)
  const transfers = await Promise.all([0n, 1n].map((nonce) => make(account, { asset, amount: 10n }, { nonce })))
  await node.broadcast(transfers[0]!.sent)
  t.like(await included(transfers[0]!.sent), { outcome: 'succeeded', moved: { left: 10n, received: 10n } })
  const close = '0x43d726d6'
  await shared.send(token, 0n, close)
  await node.broadcast(transfers[1]!.sent)
  const refused = await included(transfers[1]!.sent)
  t.is(refused.outcome, 'reverted')
  t.true(refused.fee > 0n)
  t.is((await node.balance(account.address, asset)).amount, 10n)
})

for (const [what, code, wanted] of [
  ['more coins than there are', 'insufficient_funds', { amount: 11n * ETHER }],
  ['all coins, and nothing left for the fee', 'insufficient_funds', { amount: 10n * ETHER }],
  ['more tokens than there are', 'insufficient_funds', { asset: 'token', amount: 1n }],
  ['a token that is no contract', 'asset_unknown', { asset: tokenAsset(STRANGER) }],
  ['a contract that is no token', 'asset_unknown', { asset: 'forwarder' }],
  ['a token that says no', 'reverted', { asset: 'unwilling' }],
] as const) {
  test(`${what} cannot be sent: ${code}`, async (t) => {
    const { make, richAccount } = await onShared(t)
    const account = await richAccount()
    const contracts = { token: sharedToken, forwarder: FORWARDER, unwilling: UNWILLING_TOKEN }
    const kind = 'asset' in wanted ? (wanted.asset as keyof typeof contracts) : undefined
    const contract = kind && contracts[kind]
    const asset = contract && tokenAsset(contract.startsWith('0x') ? contract : await deploy(shared, contract))
    const error = await fails(t, code, make(account, asset ? { ...wanted, asset } : wanted))
    t.true(error.isRefusal)
  })
}

test('what the node does not take is told apart by why, and was surely not taken', async (t) => {
  const { node, make, richAccount, anvil } = await onItsOwn(t, { args: ['--no-mining'] })
  const account = await richAccount()
  const { sent } = await make(account, { amount: 9n * ETHER })
  await anvil.fund(account.address, ETHER)
  t.true((await fails(t, 'insufficient_funds', node.broadcast(sent))).isRefusal)
  await anvil.fund(account.address, 10n * ETHER)
  await anvil.call('anvil_setNextBlockBaseFeePerGas', `0x${(10n ** 12n).toString(16)}`)
  await anvil.mine(1)
  t.true((await fails(t, 'fee_too_low', node.broadcast(sent))).isRefusal)
  t.true((await fails(t, 'transaction_rejected', node.broadcast({ ...sent, raw: sent.raw.subarray(1) }))).isRefusal)
})

test('a reorganisation takes a transaction out of its block, and it is sent again as it was', async (t) => {
  const { node, make, included, richAccount, anvil } = await onItsOwn(t, {}, { confirmations: 1, finality: 5 })
  const account = await richAccount()
  await anvil.mine(3)
  const { sent } = await make(account, { amount: 3n })
  await node.broadcast(sent)
  const before = await included(sent)
  await anvil.call('anvil_rollback', 1)
  await anvil.mine(2)
  t.not((await node.status(sent)).state, 'included')
  await node.broadcast(sent)
  await anvil.mine(1)
  t.not((await included(sent)).block.hash, before.block.hash)
})

test('a transaction whose answer is lost is with a node when it returns, once', async (t) => {
  const proxy = await startFaultProxy(shared.url)
  const bench = await evmBench(shared, {}, [proxy.url, shared.url])
  t.teardown(async () => {
    await bench.close()
    await proxy.close()
  })
  const account = await bench.richAccount()
  const { sent } = await bench.make(account, { amount: 4n })
  proxy.fault = ({ method }) => (method === 'eth_sendRawTransaction' ? { kind: 'lose-answer' } : undefined)
  await bench.node.broadcast(sent)
  await bench.included(sent)
  t.is(await bench.node.nextNonce(account.address), 1n)
})

test('a transaction that the only node has forgotten is there still when it is what has used its nonce', async (t) => {
  const proxy = await startFaultProxy(shared.url)
  const bench = await evmBench(shared, {}, [proxy.url])
  t.teardown(async () => {
    await bench.close()
    await proxy.close()
  })
  const account = await bench.richAccount()
  const [one, other] = [await bench.make(account, { amount: 1n }), await bench.make(account, { amount: 2n })]
  await bench.node.broadcast(one.sent)
  await mined(shared, one.sent.hash)
  await shared.mine(5)
  const forgotten = ['eth_getTransactionReceipt', 'eth_getTransactionByHash']
  proxy.fault = ({ method }) => (forgotten.includes(method) ? { kind: 'result', result: null } : undefined)
  t.deepEqual(await bench.node.status(one.sent), { state: 'pending' })
  t.deepEqual(await bench.node.status(other.sent), { state: 'impossible', reason: 'replaced', by: one.sent.hash })
})

test('an endpoint that has forgotten a transaction does not make it impossible', async (t) => {
  const proxy = await startFaultProxy(shared.url)
  const bench = await evmBench(shared, {}, [proxy.url, shared.url])
  t.teardown(async () => {
    await bench.close()
    await proxy.close()
  })
  const account = await bench.richAccount()
  const { sent } = await bench.make(account, {})
  await bench.node.broadcast(sent)
  await mined(shared, sent.hash)
  proxy.fault = ({ method }) => (/Receipt|ByHash/.test(method) ? { kind: 'result', result: null } : undefined)
  t.like(await bench.node.status(sent), { state: 'included' })
})

test('a receipt of a block that is not in the chain is not believed, nor an answer of another form', async (t) => {
  const proxy = await startFaultProxy(shared.url)
  const bench = await evmBench(shared, { rpc: { retries: 0 } }, [proxy.url])
  t.teardown(async () => {
    await bench.close()
    await proxy.close()
  })
  const account = await bench.richAccount()
  const { sent } = await bench.make(account, {})
  const receipt = {
    blockNumber: '0x0',
    blockHash: `0x${'11'.repeat(32)}`,
    status: '0x1',
    gasUsed: '0x1',
    effectiveGasPrice: '0x1',
    logs: [],
  }
  proxy.fault = ({ method }) => (method === 'eth_getTransactionReceipt' ? { kind: 'result', result: receipt } : undefined)
  t.deepEqual(await bench.node.status(sent), { state: 'unknown' })
  proxy.fault = ({ method }) => (method === 'eth_getTransactionReceipt' ? { kind: 'result', result: { ...receipt, status: 1 } } : undefined)
  await fails(t, 'chain_unavailable', bench.node.status(sent))
})

type Watching = { seen: Deposit[]; look(): Promise<void>; cursor: string | null }

/** Looks through the chain until it has come to its end. */
function watching(node: ChainNode, accounts: readonly { address: string }[]): Watching {
  const addresses = new Set(accounts.map(({ address }) => address))
  const watch: Watching = {
    seen: [],
    cursor: null,
    async look() {
      for (;;) {
        const { found, cursor, isAtHead } = await node.deposits(addresses, watch.cursor)
        watch.seen.push(...found)
        watch.cursor = cursor
        if (isAtHead) return
      }
    },
  }
  return watch
}

async function withTokens(t: ExecutionContext): Promise<EvmBench & { token: string }> {
  const anvil = await startAnvil()
  t.teardown(() => anvil.kill())
  const token = await deploy(anvil, TOKEN, 10n ** 30n)
  const bench = await evmBench(anvil, { extra: { tokens: [token] }, finality: 5 })
  t.teardown(() => bench.close())
  return { ...bench, token: bench.chain.readAsset(tokenAsset(token), '').token! }
}

test('coins and watched tokens are found where they come in, also many blocks later', async (t) => {
  const { node, anvil, token } = await withTokens(t)
  const [one, other] = [evmAccount(), evmAccount()]
  const watch = watching(node, [one, other])
  await watch.look()
  const coins = await anvil.send(one.address, 5n)
  await anvil.mine(45)
  const tokens = await sendTokens(anvil, token, other.address, 7n)
  await watch.look()
  t.like(watch.seen, [
    { id: `${coins}:coins`, hash: coins, to: one.address, asset: 'eip155:31337/slip44:60', amount: 5n },
    { id: `${tokens}:log:0`, hash: tokens, to: other.address, asset: tokenAsset(token), amount: 7n },
  ])
  t.is(watch.seen.length, 2)
  for (const deposit of watch.seen) {
    const standing = await node.standing(deposit)
    t.deepEqual(standing?.block, deposit.block)
  }
  t.is((await node.standing(watch.seen[0]!))?.confirmations, 47)
  await watch.look()
  t.is(watch.seen.length, 2)
})

test('what is no deposit is not taken for one', async (t) => {
  const { node, anvil, token, make, included } = await withTokens(t)
  const account = evmAccount()
  await anvil.fund(account.address, ETHER)
  const watch = watching(node, [account, RICH])
  // The newest block is the first that is looked through, and had the supply of the token.
  await anvil.mine(1)
  await watch.look()
  await anvil.send(RICH.address, 5n)
  await sendTokens(anvil, token, RICH.address, 5n)
  // Of a token that anybody can make.
  const unwatched = await deploy(anvil, TOKEN, 10n ** 30n)
  await sendTokens(anvil, unwatched, account.address, 7n)
  await sendTokens(anvil, token, account.address, 0n)
  await sendTokens(anvil, token, STRANGER, 1n)
  await anvil.send(account.address, 0n)
  await anvil.send(STRANGER, 5n)
  // Coins that go out, and the cancellation of what would have.
  const out = await make(account, { amount: 5n })
  await node.broadcast(out.sent)
  await included(out.sent)
  const { sent } = await make(account, {}, { replaces: { unsigned: (await make(account, {})).unsigned, as: 'cancellation' } })
  await node.broadcast(sent)
  await included(sent)
  // A contract pays them out: no transaction says so, and the balance does.
  const forwarder = await deploy(anvil, FORWARDER)
  const before = (await node.balance(account.address, 'eip155:31337/slip44:60')).amount
  await anvil.send(forwarder, 5n, `0x101e8952${Buffer.from(addressWord(account.address)).toString('hex')}`)
  t.is((await node.balance(account.address, 'eip155:31337/slip44:60')).amount, before + 5n)
  await watch.look()
  t.deepEqual(watch.seen, [])
})

test('deposits in blocks that a reorganisation takes away stand no more, and those in the new ones are found', async (t) => {
  const { node, anvil, token } = await withTokens(t)
  const account = evmAccount()
  const watch = watching(node, [account])
  await anvil.mine(30)
  await watch.look()
  await anvil.mine(10)
  await anvil.send(account.address, 5n)
  await sendTokens(anvil, token, account.address, 6n)
  await watch.look()
  const before = watch.seen.splice(0)
  t.is(before.length, 2)
  await anvil.call('anvil_rollback', 6)
  // The chain is shorter than what has been seen of it.
  await watch.look()
  t.deepEqual(await Promise.all(before.map((deposit) => node.standing(deposit))), [null, null])
  await sendTokens(anvil, token, account.address, 8n)
  await watch.look()
  t.deepEqual(
    watch.seen.map(({ amount }) => amount),
    [8n],
  )
  await anvil.mine(20)
  await watch.look()
  t.is(watch.seen.length, 1)
})

test('an endpoint that does not know of a deposit does not undo it, nor is it counted on as long as endpoints do not agree', async (t) => {
  const proxy = await startFaultProxy(shared.url)
  const benches = await Promise.all([[proxy.url, shared.url], [proxy.url]].map((endpoints) => evmBench(shared, {}, endpoints)))
  t.teardown(async () => {
    for (const bench of benches) await bench.close()
    await proxy.close()
  })
  const [node, alone] = benches.map((bench) => bench.node) as [ChainNode, ChainNode]
  const account = evmAccount()
  const watch = watching(node, [account])
  await watch.look()
  await shared.send(account.address, 5n)
  await watch.look()
  const [deposit] = watch.seen as [Deposit]
  proxy.fault = ({ method }) => (/Receipt/.test(method) ? { kind: 'result', result: null } : undefined)
  t.deepEqual(await node.standing(deposit), { block: deposit.block, confirmations: 0 })
  t.is(await alone.standing(deposit), null)
  proxy.fault = () => undefined
  t.deepEqual(await node.standing(deposit), { block: deposit.block, confirmations: 1 })
})

test('a block that does not follow the one before is left for the next time', async (t) => {
  const proxy = await startFaultProxy(shared.url)
  t.teardown(() => proxy.close())
  const { node, close } = await evmBench(shared, {}, [proxy.url])
  t.teardown(close)
  const account = evmAccount()
  const watch = watching(node, [account])
  await watch.look()
  await shared.send(account.address, 5n)
  const height = await shared.call('eth_blockNumber')
  const block = (await shared.call('eth_getBlockByNumber', height, true)) as object
  proxy.fault = ({ method, params }) =>
    method === 'eth_getBlockByNumber' && params[0] === height
      ? { kind: 'result', result: { ...block, parentHash: `0x${'22'.repeat(32)}` } }
      : undefined
  t.like(await node.deposits(new Set([account.address]), watch.cursor), { found: [], cursor: watch.cursor!, isAtHead: false })
  proxy.fault = () => undefined
  await watch.look()
  t.is(watch.seen.length, 1)
})

test('more addresses than fit into a filter are watched all the same', async (t) => {
  const { node, anvil, token } = await withTokens(t)
  const account = evmAccount()
  const others = Array.from({ length: 600 }, (_, index) => ({ address: `0x${(index + 1).toString(16).padStart(40, '0')}` }))
  const watch = watching(node, [...others, account])
  await watch.look()
  await sendTokens(anvil, token, account.address, 3n)
  await sendTokens(anvil, token, STRANGER, 4n)
  await anvil.send(others[599]!.address, 9n)
  await watch.look()
  t.deepEqual(
    watch.seen.map(({ to, amount }) => [to, amount]),
    [
      [account.address, 3n],
      [others[599]!.address, 9n],
    ],
  )
})

test('the cursor stays short however long the chain is', async (t) => {
  const { node, anvil } = await withTokens(t)
  const watch = watching(node, [evmAccount()])
  for (let blocks = 0; blocks < 10; blocks++) {
    await anvil.mine(60)
    await watch.look()
  }
  t.true(watch.cursor!.length < 4_096, String(watch.cursor!.length))
})
