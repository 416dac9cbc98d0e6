import anyTest from 'ava'
import { positionOf } from '../../domain/wallet/transfers/funds.ts'
import { type Bench, ETHER, startBench } from './bench.ts'

/** One after another: each has a node and a log of its own. */
const test = anyTest.serial

const position = async (bench: Bench) => positionOf((await bench.wallet()).funds, bench.accountId, bench.chain.nativeAsset)

const depositsIn = async (bench: Bench) =>
  (await bench.events())
    .filter(({ type }) => type.startsWith('Deposit'))
    .map(({ type, data }) => [type, (data as { source?: string }).source])

test('a deposit is pending, and credited with as many confirmations as the chain wants, once, whoever looks', async (t) => {
  const bench = await startBench(t, { settings: { confirmations: 3, finality: 5 } })
  bench.coordinate()
  bench.coordinate()
  await bench.watched()
  await bench.anvil.send(bench.address, 7n)
  await bench.until(({ deposits }) => deposits.pending.length === 1)
  t.deepEqual(await position(bench), { settled: '0', reserved: '0', pending: '7' })
  await bench.anvil.mine(1)
  t.is(await bench.available(), 0n)
  await bench.anvil.mine(1)
  await bench.until(({ deposits }) => deposits.pending.length === 0)
  t.deepEqual(await position(bench), { settled: '7', reserved: '0', pending: '0' })
  t.deepEqual(await depositsIn(bench), [
    ['DepositDetected', 'transaction'],
    ['DepositCredited', undefined],
  ])
})

test('a deposit that a reorganisation takes away is undone, and found again when it comes again', async (t) => {
  const bench = await startBench(t, { settings: { confirmations: 2, finality: 50 } })
  const { anvil } = bench
  bench.coordinate()
  await bench.watched()
  await anvil.mine(5)
  const snapshot = await anvil.call('evm_snapshot')
  await anvil.send(bench.address, 9n)
  await anvil.mine(1)
  await bench.until(({ funds }) => positionOf(funds, bench.accountId, bench.chain.nativeAsset).settled === '9')
  await anvil.call('evm_revert', snapshot)
  await anvil.call('anvil_setNextBlockBaseFeePerGas', '0x11')
  await anvil.mine(4)
  await bench.until(({ funds }) => funds[bench.accountId] === undefined)
  t.is((await bench.events()).filter(({ type }) => type === 'DepositReverted').length, 1)
  await anvil.send(bench.address, 9n)
  await anvil.mine(1)
  await bench.until(({ funds }) => positionOf(funds, bench.accountId, bench.chain.nativeAsset).settled === '9')
  await bench.reconciled(t)
})

test('funds that no transaction tells of are seen in the balance, and credited once, whoever looks', async (t) => {
  const bench = await startBench(t, { settings: { confirmations: 2, finality: 4 } })
  await bench.anvil.fund(bench.address, ETHER)
  bench.coordinate()
  bench.coordinate()
  const mining = setInterval(() => void bench.anvil.mine(1), 200)
  t.teardown(() => clearInterval(mining))
  await bench.until(({ funds }) => positionOf(funds, bench.accountId, bench.chain.nativeAsset).settled === String(ETHER))
  await bench.anvil.send(bench.address, 5n)
  await bench.until(({ funds }) => positionOf(funds, bench.accountId, bench.chain.nativeAsset).settled === String(ETHER + 5n))
  t.deepEqual(await depositsIn(bench), [
    ['DepositDetected', 'balance'],
    ['DepositCredited', undefined],
    ['DepositDetected', 'transaction'],
    ['DepositCredited', undefined],
  ])
  clearInterval(mining)
  await bench.reconciled(t)
})

test('funds that no transaction tells of are undone with the block in which they were seen, and found again where they come again', async (t) => {
  const bench = await startBench(t, { settings: { confirmations: 2, finality: 50 } })
  const { anvil } = bench
  const settled = (amount: bigint) =>
    bench.until(({ funds }) => positionOf(funds, bench.accountId, bench.chain.nativeAsset).settled === String(amount))
  bench.coordinate()
  await bench.watched()
  await anvil.mine(5)
  const snapshot = await anvil.call('evm_snapshot')
  // The balance changes within the newest block, which is to be one that goes.
  await anvil.mine(1)
  await anvil.fund(bench.address, ETHER)
  const mining = setInterval(() => void anvil.mine(1), 200)
  t.teardown(() => clearInterval(mining))
  await settled(ETHER)
  clearInterval(mining)
  await anvil.call('evm_revert', snapshot)
  await anvil.call('anvil_setNextBlockBaseFeePerGas', '0x11')
  await anvil.mine(60)
  await settled(0n)
  await anvil.fund(bench.address, ETHER)
  const again = setInterval(() => void anvil.mine(1), 200)
  t.teardown(() => clearInterval(again))
  await settled(ETHER)
  t.deepEqual(await depositsIn(bench), [
    ['DepositDetected', 'balance'],
    ['DepositCredited', undefined],
    ['DepositReverted', undefined],
    ['DepositDetected', 'balance'],
    ['DepositCredited', undefined],
  ])
  clearInterval(again)
  await bench.reconciled(t)
})
