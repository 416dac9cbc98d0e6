import { createHash } from 'node:crypto'
import { hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { readBlock } from './block.ts'
import { parse, txidOf } from './testing/consensus.ts'
import bip341 from './vectors/bip341-key-path-spending.json' with { type: 'json' }

const GENESIS = hexToBytes(
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000',
)
const GENESIS_HASH = '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'
const [{ auxiliary }] = bip341 as [(typeof bip341)[number]]
const SIGNED = hexToBytes(auxiliary.fullySignedTx)

const sha256x2 = (bytes: Uint8Array) => createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest()
const reversed = (bytes: Uint8Array) => Buffer.from(bytes).reverse()

test('the first block of Bitcoin has the transaction that everybody knows', (t) => {
  const { previous, transactions } = readBlock(GENESIS, GENESIS_HASH)
  t.is(previous, '0'.repeat(64))
  t.like(transactions, [
    {
      txid: '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
      spends: [{ txid: '0'.repeat(64), index: 0xffffffff }],
    },
  ])
  t.is(transactions[0]!.pays[0]!.amount, 5_000_000_000n)
})

test('a block that is altered anywhere is not the one of this hash', (t) => {
  for (let at = 0; at < GENESIS.length; at++)
    t.throws(() => readBlock(GENESIS.with(at, GENESIS[at]! ^ 1), GENESIS_HASH), { instanceOf: RangeError }, `byte ${at}`)
  for (const bytes of [GENESIS.subarray(0, -1), Buffer.concat([GENESIS, Uint8Array.of(0)]), new Uint8Array(), GENESIS.subarray(0, 80)])
    t.throws(() => readBlock(bytes, GENESIS_HASH), { instanceOf: RangeError })
})

for (const count of [1, 2, 3, 5]) {
  test(`${count} transactions with witnesses are read, and are what the header commits to`, (t) => {
    const transactions = Array.from({ length: count }, (_, number) => SIGNED.with(0, number))
    let level = transactions.map((raw) => reversed(hexToBytes(txidOf(parse(raw)))))
    while (level.length > 1) {
      if (level.length % 2 === 1) level.push(level.at(-1)!)
      level = level.flatMap((left, place) => (place % 2 === 0 ? [sha256x2(Buffer.concat([left, level[place + 1]!]))] : []))
    }
    const header = Buffer.concat([GENESIS.subarray(0, 36), level[0]!, GENESIS.subarray(68, 80)])
    const bytes = Buffer.concat([header, Uint8Array.of(count), ...transactions])
    const block = readBlock(bytes, reversed(sha256x2(header)).toString('hex'))
    t.deepEqual(
      block.transactions.map(({ txid }) => txid),
      transactions.map((raw) => txidOf(parse(raw))),
    )
    const { inputs, outputs } = parse(SIGNED)
    t.is(block.transactions[0]!.spends.length, inputs.length)
    t.deepEqual(
      block.transactions[0]!.pays.map(({ script }) => Buffer.from(script)),
      outputs.map((output) => output.subarray(9)),
    )
  })
}
