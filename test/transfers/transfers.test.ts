import anyTest from 'ava'
import { ETHER, STRANGER, startBench } from './bench.ts'

/** One after another: each has a node and a log of its own. */
const test = anyTest.serial

test('a transfer goes through every step, and what it has cost is what is gone', async (t) => {
  const bench = await startBench(t)
  const { failures } = bench.coordinate()
  await bench.fund(ETHER)
  const transferId = await bench.request({ amount: 12_345n })
  await bench.reaches(transferId, 'finalized')
  t.deepEqual(await bench.typesOf(transferId), [
    'TransferRequested',
    'FundsReserved',
    'NonceAllocated',
    'TransferBuilt',
    'TransferSigned',
    'TransferBroadcast',
    'TransferConfirmed',
    'TransferFinalized',
    'FundsReleased',
  ])
  t.is((await bench.node.balance(STRANGER, bench.chain.nativeAsset)).amount, 12_345n)
  await bench.reconciled(t)
  t.deepEqual(failures, [])
})
