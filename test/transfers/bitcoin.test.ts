import anyTest, { type ExecutionContext } from 'ava'
import { readPsbt } from '../../adapters/chains/bitcoin/psbt.ts'
import type { BuiltTransaction } from '../../domain/wallet/transfers/events.ts'
import { positionOf } from '../../domain/wallet/transfers/funds.ts'
import { type BitcoinNode, startBitcoinNode } from '../chains/bitcoin-node.ts'
import { type BitcoinBench, FINALITY, startBitcoinBench } from './bitcoin-bench.ts'

/** One after another: each has a log of its own, and all a chain. */
const test = anyTest.serial

let bitcoind: BitcoinNode
test.before(async () => {
  bitcoind = await startBitcoinNode()
})
test.after.always(() => bitcoind?.stop())

const builtIn = async (bench: BitcoinBench, transferId: string) =>
  (await bench.events())
    .map(({ type, data }) => ({ type, data: data as BuiltTransaction & { transferId: string } }))
    .filter(({ type, data }) => type === 'TransferBuilt' && data.transferId === transferId)
    .map(({ data }) => data)

const spentBy = ({ unsigned }: BuiltTransaction) => readPsbt(new Uint8Array(Buffer.from(unsigned, 'base64'))).inputs

/** So that it is final, which takes what is sent a moment to be in the first block. */
async function mineUntil(t: ExecutionContext, bench: BitcoinBench, transferId: string, end: string): Promise<void> {
  const mining = setInterval(() => void bitcoind.mine(1), 100)
  t.teardown(() => clearInterval(mining))
  await bench.reaches(transferId, end)
  clearInterval(mining)
}

const after = (types: readonly string[], first: string, then: string) =>
  types.lastIndexOf(then) > types.indexOf(first) && types.includes(first)

for (const [kind, scheme] of [
  ['P2WPKH', 'dkls23-secp256k1'],
  ['P2TR', 'frost-secp256k1-tr'],
] as const) {
  test(`${kind}: several coins are several signatures of one transaction; what it has cost is what is gone, also after a reorganisation`, async (t) => {
    const bench = await startBitcoinBench(t, bitcoind, { scheme })
    bench.coordinate()
    await bench.coins(30_000, 40_000, 50_000)
    const transferId = await bench.request({ amount: 100_000n })
    await bench.reaches(transferId, 'broadcasting')
    const [block] = await bitcoind.mine(1)
    await bench.reaches(transferId, 'confirming')
    await bitcoind.mine(1)
    await bench.reaches(transferId, 'confirmed')

    await bitcoind.call('invalidateblock', block)
    await bitcoind.mine(1)
    await bench.until(({ transfers }) => transfers[transferId]?.mined?.block.hash !== block)
    await mineUntil(t, bench, transferId, 'finalized')
    t.true(after(await bench.typesOf(transferId), 'TransferReorganised', 'TransferConfirmed'))
    t.is((await builtIn(bench, transferId)).length, 1)
    t.is(bench.signer.signed.length, 3)
    t.is(await bench.received(), 100_000n)
    await bench.reconciled(t)
  })
}

test('what is not mined is done faster, and then cancelled: one of the three is mined, and nothing but what the first spends is spent', async (t) => {
  const bench = await startBitcoinBench(t, bitcoind)
  bench.coordinate()
  await bench.coins(60_000, 70_000)
  const transferId = await bench.request({ amount: 20_000n, fee: 'low' })
  await bench.reaches(transferId, 'stuck')
  t.is((await bench.wallet()).transfers[transferId]?.stuck?.reason, 'not_mined')
  await bench.replace(transferId, 'accelerate')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.at(1)?.isBroadcast === true)
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.at(2)?.isBroadcast === true)
  await mineUntil(t, bench, transferId, 'cancelled')
  const built = await builtIn(bench, transferId)
  t.deepEqual(
    built.map(({ as }) => as),
    ['transfer', 'acceleration', 'cancellation'],
  )
  for (const each of built) t.deepEqual(each.conflicts, built[0]!.conflicts)
  const fees = built.map(({ fee }) => BigInt(fee))
  t.true(fees[0]! < fees[1]! && fees[1]! < fees[2]!, fees.join())
  t.is(await bench.received(), 0n)
  await bench.reconciled(t)
})

test('a transfer whose coin a reorganisation has taken away, and somebody has spent otherwise, ends, and gives back what was reserved', async (t) => {
  const bench = await startBitcoinBench(t, bitcoind)
  bench.coordinate()
  const [lost] = await bench.coins(50_000)
  const transferId = await bench.request({ amount: 20_000n })
  await bench.reaches(transferId, 'broadcasting')
  await bitcoind.mine(1)
  await bench.reaches(transferId, 'confirming', 'confirmed')

  await bitcoind.call('invalidateblock', await blockOf(lost!))
  const instead = await bitcoind.doubleSpend(lost!)
  await bitcoind.mine(FINALITY - 1)
  await bench.until(({ transfers }) => transfers[transferId]?.stuck?.reason === 'inputs_missing')
  t.like((await bench.wallet()).transfers[transferId], { mined: null })
  await mineUntil(t, bench, transferId, 'replaced')
  const types = await bench.typesOf(transferId)
  t.true(after(types, 'TransferReorganised', 'TransferReplaced'))
  const replaced = (await bench.events()).find(({ type }) => type === 'TransferReplaced')
  t.is((replaced!.data as { by: string }).by, instead)
  t.deepEqual(positionOf((await bench.wallet()).funds, bench.accountId, bench.chain.nativeAsset), {
    settled: '0',
    reserved: '0',
    pending: '0',
  })
  t.is(await bench.received(), 0n)
  t.is(bench.signer.signed.length, 1)

  await bench.coins(80_000)
  const next = await bench.request({ amount: 30_000n })
  await mineUntil(t, bench, next, 'finalized')
  t.is(await bench.received(), 30_000n)
  await bench.reconciled(t)
})

test('of a transfer of which one coin of two is gone for good the other is brought home by its cancellation, and not before that is certain', async (t) => {
  const bench = await startBitcoinBench(t, bitcoind)
  bench.coordinate()
  const [kept] = await bench.coins(50_000)
  await bitcoind.mine(FINALITY)
  const [lost] = await bench.coins(60_000)
  const transferId = await bench.request({ amount: 90_000n })
  await bench.reaches(transferId, 'broadcasting')

  await bitcoind.call('invalidateblock', await blockOf(lost!))
  await bitcoind.doubleSpend(lost!)
  await bitcoind.mine(2)
  await bench.until(({ transfers }) => transfers[transferId]?.stuck?.reason === 'inputs_missing')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.replacement === null)
  t.is((await builtIn(bench, transferId)).length, 1, 'it may come back')
  await bitcoind.mine(FINALITY)
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]?.transactions.at(1)?.isBroadcast === true)
  await mineUntil(t, bench, transferId, 'cancelled')
  const [, cancellation] = await builtIn(bench, transferId)
  t.deepEqual(
    spentBy(cancellation!).map(({ txid }) => txid),
    [kept!],
  )
  t.is(await bench.received(), 0n)
  await bench.reconciled(t)
})

test('a coin that a reorganisation took away and that comes back lets its transfer go on', async (t) => {
  const bench = await startBitcoinBench(t, bitcoind)
  bench.coordinate()
  const [paid] = await bench.coins(50_000)
  const raw = await bitcoind.call('getrawtransaction', paid)
  const transferId = await bench.request({ amount: 20_000n })
  await bench.reaches(transferId, 'broadcasting')
  await bitcoind.call('invalidateblock', await blockOf(paid!))
  await bitcoind.call('forget', paid)
  await bitcoind.mine(2)
  await bench.until(({ transfers }) => transfers[transferId]?.stuck?.reason === 'inputs_missing')
  await bitcoind.call('sendrawtransaction', (raw as { hex: string }).hex)
  await bitcoind.mine(1)
  await bench.until(({ transfers }) => transfers[transferId]?.stuck?.reason !== 'inputs_missing')
  t.is((await bench.wallet()).transfers[transferId]?.mined, null, 'it was taken, and waits for a block')
  await mineUntil(t, bench, transferId, 'finalized')
  t.is(bench.signer.signed.length, 1)
  t.is(await bench.received(), 20_000n)
  await bench.reconciled(t)
})

const blockOf = async (txid: string) => ((await bitcoind.call('getrawtransaction', txid)) as { blockhash: string }).blockhash
