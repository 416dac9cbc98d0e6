/** Transfers of Bitcoin on a regtest node. Keys in one piece stand for quorums, which have tests of their own. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { family, openNode } from '../../adapters/chains/bitcoin/family.ts'
import { NETWORKS } from '../../adapters/chains/bitcoin/networks.ts'
import { readPsbt } from '../../adapters/chains/bitcoin/psbt.ts'
import { type Spender, spenderOf } from '../../adapters/chains/bitcoin/testing/spender.ts'
import type { ChainSettings } from '../../adapters/chains/chains-file.ts'
import { RPC_DEFAULTS } from '../../adapters/chains/rpc/settings.ts'
import type {
  BuildOptions,
  ChainFailureCode,
  ChainNode,
  Deposit,
  SentTransaction,
  UnsignedTransaction,
  WantedTransaction,
} from '../../domain/ports/chain-node.ts'
import { ChainFailure } from '../../domain/ports/chain-node.ts'
import { type BitcoinNode, startBitcoinNode } from './bitcoin-node.ts'
import { startFaultProxy } from './fault-proxy.ts'

const REGTEST = '0f9188f13cb7b2c71f2a335e3a4fc328'
const regtest = family.chain(REGTEST)!
const network = NETWORKS[REGTEST]!
const codec = await regtest.transactions()
const SCHEMES = { P2TR: 'frost-secp256k1-tr', P2WPKH: 'dkls23-secp256k1' } as const
const FINALITY = 3
const UNOBSERVED = { called: () => {}, changed: () => {} }
const FRESH: BuildOptions = { nonce: null, taken: [], replaces: null }

let bitcoind: BitcoinNode
let chain: ChainNode

const open = (settings: Partial<ChainSettings>) =>
  openNode(regtest, { endpoints: [bitcoind.url], rpc: RPC_DEFAULTS, confirmations: 1, finality: FINALITY, ...settings }, UNOBSERVED)

test.before(async () => {
  bitcoind = await startBitcoinNode()
  chain = await open({})
})
test.after.always(async () => {
  await chain?.close()
  await bitcoind?.stop()
})

const newAccount = (kind: keyof typeof SCHEMES = 'P2WPKH') => spenderOf(network, SCHEMES[kind])

/** Pays these to an account, in blocks of their own. */
async function fund({ sender }: Spender, ...amounts: number[]): Promise<void> {
  for (const amount of amounts) await bitcoind.pay(sender.address, amount)
  await bitcoind.mine(1)
}

const wanted = ({ sender }: Spender, to: string, amount: bigint, more: Partial<WantedTransaction> = {}): WantedTransaction => ({
  ...{ sender, asset: regtest.nativeAsset, to, amount, fee: 'normal', maxFee: null, memo: null },
  ...more,
})

function sign({ sender, sign }: Spender, { unsigned, validity }: UnsignedTransaction): SentTransaction {
  const { raw, hash } = codec.attach(unsigned, sender, codec.messages(unsigned, sender).map(sign))
  return { raw, hash, sender, conflicts: codec.read(unsigned, sender).conflicts, validity }
}

async function allDeposits(addresses: readonly string[], from: string): Promise<{ readonly found: Deposit[]; readonly cursor: string }> {
  const found: Deposit[] = []
  let cursor = from
  for (let isAtHead = false; !isAtHead; ) {
    const next = await chain.deposits(new Set(addresses), cursor)
    found.push(...next.found)
    ;({ cursor, isAtHead } = next)
  }
  return { found, cursor }
}

const cursorNow = async () => (await chain.deposits(new Set(), null)).cursor

for (const kind of ['P2TR', 'P2WPKH'] as const) {
  test.serial(
    `${kind}: what is paid in is seen, paid on with a memo, and final after its confirmations; nothing is lost on the way`,
    async (t) => {
      const [account, recipient] = [newAccount(kind), newAccount()]
      const start = await cursorNow()
      const txid = await bitcoind.pay(account.sender.address, 100_000)
      await bitcoind.mine(1)
      const { found, cursor } = await allDeposits([account.sender.address], start)
      t.like(found, [{ to: account.sender.address, amount: 100_000n, hash: txid, asset: regtest.nativeAsset }])
      t.is(found.length, 1)
      t.like(await chain.standing(found[0]!), { block: found[0]!.block, confirmations: 1 })

      const transfer = wanted(account, recipient.sender.address, 40_000n, { memo: 'invoice 7' })
      const quote = await chain.quote(transfer)
      const built = await chain.build(transfer, FRESH)
      const effect = codec.read(built.unsigned, account.sender)
      t.like(effect, { kind: 'transfer', to: recipient.sender.address, amount: 40_000n, memo: 'invoice 7' })
      t.true(effect.fee > 0n && effect.fee <= quote.fee)

      const sent = sign(account, built)
      t.deepEqual(await chain.status(sent), { state: 'unknown' })
      await chain.broadcast(sent)
      await chain.broadcast(sent)
      t.deepEqual(await chain.status(sent), { state: 'pending' })
      const [hash] = await bitcoind.mine(1)
      t.like(await chain.status(sent), {
        state: 'included',
        outcome: 'succeeded',
        block: { hash },
        confirmations: 1,
        isFinal: false,
        fee: effect.fee,
      })
      await chain.broadcast(sent)
      await bitcoind.mine(FINALITY - 1)
      t.like(await chain.status(sent), { state: 'included', confirmations: FINALITY, isFinal: true })

      const balance = await chain.balance(account.sender.address, regtest.nativeAsset)
      t.is(balance.amount, 100_000n - 40_000n - effect.fee)
      t.is((await chain.balance(recipient.sender.address, regtest.nativeAsset)).amount, 40_000n)
      const later = await allDeposits([account.sender.address, recipient.sender.address], cursor)
      t.is(later.found.length, 1, 'change is no deposit')
      t.like(later.found[0], { to: recipient.sender.address, amount: 40_000n, from: account.sender.address, hash: sent.hash })
    },
  )

  test.serial(`${kind}: a size is never less than what is signed, and at most a byte more for each input`, async (t) => {
    const account = newAccount(kind)
    await fund(account, 10_000, 10_000, 10_000)
    const transfer = wanted(account, newAccount().sender.address, 25_000n, { fee: 'low' })
    const sent = sign(account, await chain.build(transfer, FRESH))
    await chain.broadcast(sent)
    await bitcoind.mine(1)
    const status = await chain.status(sent)
    if (status.state !== 'included') return t.fail(status.state)
    // The lowest rate is one satoshi for each virtual byte.
    const bytes = sent.raw.length
    const witness = kind === 'P2TR' ? 3 * 66 : 3 * 108
    const size = Math.ceil(((bytes - witness - 2) * 4 + witness + 2) / 4)
    t.true(Number(status.fee) >= size - 1 && Number(status.fee) <= size + 3, `${status.fee} for ${size}`)
  })

  test.serial(`${kind}: a transaction is replaced by one with a higher fee, which is then the only one that can be mined`, async (t) => {
    const [account, recipient] = [newAccount(kind), newAccount()]
    await fund(account, 50_000, 60_000)
    const transfer = wanted(account, recipient.sender.address, 45_000n, { fee: 'low' })
    const first = await chain.build(transfer, FRESH)
    const before = sign(account, first)
    await chain.broadcast(before)
    const replaces = { unsigned: first.unsigned, as: 'acceleration' } as const
    const second = await chain.build({ ...transfer, fee: 'high' }, { ...FRESH, replaces })
    const [was, is] = [first, second].map(({ unsigned }) => codec.read(unsigned, account.sender)) as [Effect, Effect]
    t.like(is, { kind: 'transfer', to: was.to, amount: was.amount })
    t.true(is.fee > was.fee)
    t.true(was.conflicts.every((conflict) => is.conflicts.includes(conflict)))
    const after = sign(account, second)
    await chain.broadcast(after)
    t.deepEqual(await chain.status(before), { state: 'unknown' })
    t.deepEqual(await chain.status(after), { state: 'pending' })
    await failsWith(t, chain.broadcast(before), 'fee_too_low')
    await bitcoind.mine(FINALITY - 1)
    t.deepEqual(await chain.status(before), { state: 'unknown' }, 'the other one is not final')
    await bitcoind.mine(1)
    t.deepEqual(await chain.status(before), { state: 'impossible', reason: 'replaced', by: after.hash })
    await failsWith(t, chain.build(transfer, { ...FRESH, replaces }), 'not_replaceable')
    await failsWith(t, chain.broadcast(before), 'inputs_missing')
    t.is((await chain.balance(recipient.sender.address, regtest.nativeAsset)).amount, 45_000n)
  })

  test.serial(`${kind}: a transaction is cancelled by one that brings all of it back`, async (t) => {
    const [account, recipient] = [newAccount(kind), newAccount()]
    await fund(account, 50_000)
    const transfer = wanted(account, recipient.sender.address, 45_000n, { fee: 'low' })
    const first = await chain.build(transfer, FRESH)
    await chain.broadcast(sign(account, first))
    const start = await cursorNow()
    const cancellation = await chain.build(transfer, { ...FRESH, replaces: { unsigned: first.unsigned, as: 'cancellation' } })
    const effect = codec.read(cancellation.unsigned, account.sender)
    t.like(effect, { kind: 'cancellation', conflicts: codec.read(first.unsigned, account.sender).conflicts })
    await chain.broadcast(sign(account, cancellation))
    await bitcoind.mine(1)
    t.is((await chain.balance(account.sender.address, regtest.nativeAsset)).amount, 50_000n - effect.fee)
    t.is((await chain.balance(recipient.sender.address, regtest.nativeAsset)).amount, 0n)
    t.deepEqual((await allDeposits([account.sender.address, recipient.sender.address], start)).found, [])
  })
}

type Effect = ReturnType<typeof codec.read>

test.serial('a reorganisation undoes what it was in the block: the transaction waits again, and the deposit is found again', async (t) => {
  const [account, recipient] = [newAccount(), newAccount()]
  await fund(account, 50_000)
  const sent = sign(account, await chain.build(wanted(account, recipient.sender.address, 20_000n), FRESH))
  const start = await cursorNow()
  await chain.broadcast(sent)
  const [undone] = await bitcoind.mine(1)
  const { found, cursor } = await allDeposits([recipient.sender.address], start)
  t.like(found, [{ amount: 20_000n, block: { hash: undone } }])
  await bitcoind.mine(1)
  const after = await allDeposits([recipient.sender.address], cursor)
  await bitcoind.call('invalidateblock', undone)
  t.deepEqual(await chain.status(sent), { state: 'pending' })
  t.is(await chain.standing(found[0]!), null)
  t.deepEqual((await allDeposits([recipient.sender.address], start)).found, [])
  const [again] = await bitcoind.mine(2)
  t.like(await chain.status(sent), { state: 'included', block: { hash: again }, confirmations: 2 })
  const refound = await allDeposits([recipient.sender.address], after.cursor)
  t.like(refound.found, [{ id: found[0]!.id, block: { hash: again } }])
  t.like(await chain.standing(found[0]!), { block: { hash: again }, confirmations: 2 })
  t.deepEqual((await allDeposits([recipient.sender.address], refound.cursor)).found, [])
})

test.serial('coins that other transfers use are left alone, and change is not used before it has its confirmations', async (t) => {
  const [account, recipient] = [newAccount(), newAccount()]
  await fund(account, 50_000, 60_000)
  const transfer = wanted(account, recipient.sender.address, 30_000n)
  const first = await chain.build(transfer, FRESH)
  const taken = [...codec.read(first.unsigned, account.sender).conflicts]
  t.deepEqual(
    readPsbt(first.unsigned).inputs.map(({ amount }) => amount),
    [50_000n],
    'the smallest that will do',
  )
  const second = await chain.build(transfer, { ...FRESH, taken })
  t.deepEqual(
    readPsbt(second.unsigned).inputs.map(({ amount }) => amount),
    [60_000n],
  )
  taken.push(...codec.read(second.unsigned, account.sender).conflicts)
  await failsWith(t, chain.build(transfer, { ...FRESH, taken }), 'funds_locked')
  const careful = await open({ confirmations: 2 })
  t.teardown(() => careful.close())
  await failsWith(t, careful.build(transfer, FRESH), 'funds_locked')
  await bitcoind.mine(1)
  t.truthy(await careful.build(transfer, FRESH))
})

test.serial('the smallest number of inputs that will do is spent, and what is too little to come back is part of the fee', async (t) => {
  const account = newAccount('P2TR')
  await fund(account, 10_000, 20_000, 30_000)
  const inputsFor = async (amount: bigint) => {
    const { unsigned } = await chain.build(wanted(account, newAccount().sender.address, amount, { fee: 'low' }), FRESH)
    const { inputs, outputs } = readPsbt(unsigned)
    return { inputs: inputs.map(({ amount }) => amount), outputs: outputs.length }
  }
  t.deepEqual(await inputsFor(5_000n), { inputs: [10_000n], outputs: 2 })
  t.deepEqual(await inputsFor(25_000n), { inputs: [30_000n], outputs: 2 })
  t.deepEqual(await inputsFor(35_000n), { inputs: [30_000n, 10_000n], outputs: 2 })
  t.deepEqual(await inputsFor(19_700n), { inputs: [20_000n], outputs: 1 })
})

const REFUSED: readonly (readonly [string, ChainFailureCode, Partial<WantedTransaction>])[] = [
  ['dust', 'dust', { amount: 293n }],
  ['more than there is', 'insufficient_funds', { amount: 50_001n }],
  ['all, with nothing left for the fee', 'insufficient_funds', { amount: 50_000n }],
  ['another asset', 'asset_unknown', { asset: 'eip155:1/slip44:60' }],
  ['a fee beyond what is allowed', 'fee_too_high', { maxFee: 10n }],
  ['a memo that is too long', 'transaction_rejected', { memo: 'ä'.repeat(41) }],
  ['an empty memo', 'transaction_rejected', { memo: '' }],
]
for (const [what, code, more] of REFUSED) {
  test.serial(`refused before anything is signed: ${what}`, async (t) => {
    const account = newAccount()
    await fund(account, 50_000)
    const transfer = wanted(account, newAccount().sender.address, 10_000n, more)
    await failsWith(t, chain.build(transfer, FRESH), code)
    await failsWith(t, chain.quote(transfer), code)
  })
}

test.serial('an account that pays itself moves nothing', async (t) => {
  const account = newAccount()
  await fund(account, 50_000)
  await failsWith(t, chain.build(wanted(account, account.sender.address, 10_000n), FRESH), 'transaction_rejected')
})

test.serial('a node refuses signatures that are wrong, whatever they are made with', async (t) => {
  for (const kind of ['P2TR', 'P2WPKH'] as const) {
    const account = newAccount(kind)
    await fund(account, 50_000)
    const sent = sign(account, await chain.build(wanted(account, newAccount().sender.address, 10_000n), FRESH))
    const at = Buffer.from(sent.raw).lastIndexOf(kind === 'P2TR' ? Uint8Array.of(1, 64) : Uint8Array.of(2, 32)) + 10
    const failure = await failsWith(t, chain.broadcast({ ...sent, raw: sent.raw.with(at, sent.raw[at]! ^ 1) }), 'transaction_rejected')
    t.true(failure?.isRefusal)
    await chain.broadcast(sent)
  }
})

test.serial('a broadcast whose answer is lost is sent again, and the node has it once', async (t) => {
  const account = newAccount()
  await fund(account, 50_000)
  const proxy = await startFaultProxy(bitcoind.url)
  const unlucky = await open({ endpoints: [proxy.url] })
  t.teardown(async () => {
    await unlucky.close()
    await proxy.close()
  })
  const sent = sign(account, await unlucky.build(wanted(account, newAccount().sender.address, 10_000n), FRESH))
  const tries = () => proxy.requests.filter(({ method }) => method === 'sendrawtransaction').length
  proxy.fault = ({ method }) => (method === 'sendrawtransaction' && tries() === 1 ? { kind: 'lose-answer' } : undefined)
  await unlucky.broadcast(sent)
  t.is(tries(), 2)
  t.deepEqual(await unlucky.status(sent), { state: 'pending' })
})

test.serial('where a provider does not search for outputs, another endpoint does, or an index of addresses', async (t) => {
  const account = newAccount()
  await fund(account, 50_000, 60_000)
  const proxy = await startFaultProxy(bitcoind.url)
  proxy.fault = ({ method }) => (method === 'scantxoutset' ? { kind: 'error', code: -32601, message: 'Method not found' } : undefined)
  const index = createServer(async ({ url }, response) => {
    const [, address] = /^\/api\/address\/(\w+)\/utxo$/.exec(url ?? '')!
    const { unspents } = (await bitcoind.call('scantxoutset', 'start', [`addr(${address})`])) as { unspents: Unspent[] }
    const answer = unspents.map(({ txid, vout, amount, height }) => ({
      ...{ txid, vout, value: Math.round(amount * 1e8) },
      status: { confirmed: true, block_height: height },
    }))
    response.end(JSON.stringify([...answer, { txid: 'ab'.repeat(32), vout: 0, value: 9, status: { confirmed: false } }]))
  }).listen(0, '127.0.0.1')
  await once(index, 'listening')
  const esplora = `http://127.0.0.1:${(index.address() as AddressInfo).port}/api`
  const [both, indexed, neither] = await Promise.all([
    open({ endpoints: [proxy.url, bitcoind.url] }),
    open({ endpoints: [proxy.url], extra: { esplora } }),
    open({ endpoints: [proxy.url] }),
  ])
  t.teardown(async () => {
    await Promise.all([both, indexed, neither].map((each) => each.close()))
    index.close()
    index.closeAllConnections()
    await proxy.close()
  })
  const expected = await chain.balance(account.sender.address, regtest.nativeAsset)
  t.is(expected.amount, 110_000n)
  t.deepEqual(await both.balance(account.sender.address, regtest.nativeAsset), expected)
  t.deepEqual(await indexed.balance(account.sender.address, regtest.nativeAsset), expected)
  await failsWith(t, neither.balance(account.sender.address, regtest.nativeAsset), 'chain_unavailable')
  const transfer = wanted(account, newAccount().sender.address, 80_000n)
  t.deepEqual(await indexed.build(transfer, FRESH), await chain.build(transfer, FRESH))
})

test.serial('outputs are searched for once; then blocks tell what has become of them, until there is a reorganisation', async (t) => {
  const account = newAccount('P2TR')
  await fund(account, 50_000)
  const proxy = await startFaultProxy(bitcoind.url)
  const following = await open({ endpoints: [proxy.url] })
  t.teardown(async () => {
    await following.close()
    await proxy.close()
  })
  const searches = () => proxy.requests.filter(({ method }) => method === 'scantxoutset').length
  const isRight = async () => {
    const fresh = await open({})
    const { address } = account.sender
    t.deepEqual(await following.balance(address, regtest.nativeAsset), await fresh.balance(address, regtest.nativeAsset))
    const transfer = wanted(account, newAccount().sender.address, 10_000n)
    t.deepEqual(await following.build(transfer, FRESH), await fresh.build(transfer, FRESH))
    await fresh.close()
  }
  await isRight()
  await chain.broadcast(sign(account, await chain.build(wanted(account, newAccount().sender.address, 10_000n), FRESH)))
  await bitcoind.mine(3)
  await isRight()
  await fund(account, 20_000)
  await isRight()
  t.is(searches(), 1)
  await bitcoind.call('invalidateblock', await bitcoind.call('getbestblockhash'))
  await isRight()
  t.is(searches(), 2)
  await fund(account, 30_000)
  await isRight()
  t.is(searches(), 2)
  await bitcoind.call('invalidateblock', await bitcoind.call('getbestblockhash'))
  await bitcoind.mine(3)
  await isRight()
  t.is(searches(), 3)
})

type Unspent = { txid: string; vout: number; amount: number; height: number }

test.serial(
  'deposits: a node that is behind changes nothing, and where no remembered block is in the chain it goes back by all of them',
  async (t) => {
    const account = newAccount()
    const start = await cursorNow()
    await fund(account, 50_000)
    await bitcoind.mine(2)
    const { found, cursor } = await allDeposits([account.sender.address], start)
    const { height, hashes } = JSON.parse(cursor) as { height: string; hashes: string[] }
    t.true(cursor.length < 16 * 1024 && hashes.length > 2)

    const proxy = await startFaultProxy(bitcoind.url)
    const behind = await open({ endpoints: [proxy.url] })
    t.teardown(async () => {
      await behind.close()
      await proxy.close()
    })
    proxy.fault = ({ method }) => (method === 'getbestblockhash' ? { kind: 'result', result: hashes[2] } : undefined)
    t.deepEqual(await behind.deposits(new Set([account.sender.address]), cursor), {
      found: [],
      cursor,
      height: BigInt(height),
      isAtHead: true,
    })

    const lost = JSON.stringify({ height, hashes: hashes.slice(0, 3).map(() => 'ab'.repeat(32)) })
    t.deepEqual((await allDeposits([account.sender.address], lost)).found, found)
  },
)

test.serial('deposits: a block that does not follow the one before is left for the next time', async (t) => {
  const account = newAccount()
  const cursor = await cursorNow()
  await fund(account, 50_000)
  const proxy = await startFaultProxy(bitcoind.url)
  const changing = await open({ endpoints: [proxy.url] })
  t.teardown(async () => {
    await changing.close()
    await proxy.close()
  })
  const next = Number((JSON.parse(cursor) as { height: string }).height) + 1
  const other = await bitcoind.call('getblockhash', next - 3)
  proxy.fault = ({ method, params }) => (method === 'getblockhash' && params[0] === next ? { kind: 'result', result: other } : undefined)
  t.deepEqual(await changing.deposits(new Set([account.sender.address]), cursor), {
    found: [],
    cursor,
    height: BigInt(next - 1),
    isAtHead: false,
  })
  proxy.fault = () => undefined
  t.is((await changing.deposits(new Set([account.sender.address]), cursor)).found.length, 1)
})

test.serial('what is only in a block that the chain has left is not pending', async (t) => {
  const account = newAccount()
  await fund(account, 50_000)
  const proxy = await startFaultProxy(bitcoind.url)
  const node = await open({ endpoints: [proxy.url] })
  t.teardown(async () => {
    await node.close()
    await proxy.close()
  })
  const sent = sign(account, await node.build(wanted(account, newAccount().sender.address, 10_000n), FRESH))
  const stale = { hex: Buffer.from(sent.raw).toString('hex'), blockhash: 'ab'.repeat(32), confirmations: 0 }
  proxy.fault = ({ method, params }) =>
    method === 'getrawtransaction' && params[0] === sent.hash ? { kind: 'result', result: stale } : undefined
  t.deepEqual(await node.status(sent), { state: 'unknown' })
})

test.serial('a block that is not the one asked for is not believed', async (t) => {
  const proxy = await startFaultProxy(bitcoind.url)
  const deceived = await open({ endpoints: [proxy.url], rpc: { ...RPC_DEFAULTS, retries: 0 } })
  t.teardown(async () => {
    await deceived.close()
    await proxy.close()
  })
  const other = await bitcoind.call('getblock', await bitcoind.call('getblockhash', 5), 0)
  proxy.fault = ({ method }) => (method === 'getblock' ? { kind: 'result', result: other } : undefined)
  await failsWith(t, deceived.deposits(new Set(), null), 'chain_unavailable')
})

test.serial('an endpoint of another network is asked nothing', async (t) => {
  const elsewhere = family.chain('000000000019d6689c085ae165831e93')!
  const node = await openNode(elsewhere, { endpoints: [bitcoind.url], rpc: { ...RPC_DEFAULTS, retries: 0 } }, UNOBSERVED)
  t.teardown(() => node.close())
  await failsWith(t, node.balance('bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu', elsewhere.nativeAsset), 'chain_unavailable')
})

const failsWith = (t: ExecutionContext, work: Promise<unknown>, code: ChainFailureCode) =>
  t.throwsAsync<ChainFailure>(work, { instanceOf: ChainFailure, code })
