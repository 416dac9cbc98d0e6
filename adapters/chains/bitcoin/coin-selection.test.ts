import test from 'ava'
import fc from 'fast-check'
import { selectCoins, TooManyInputs } from './coin-selection.ts'
import { costOf } from './rates.ts'
import { MAX_INPUTS } from './transactions.ts'
import { dustLimit, virtualBytes } from './weight.ts'

const script = new Uint8Array(22).fill(0, 0, 1).fill(20, 1, 2)
const sum = (parts: readonly { amount: bigint }[]) => parts.reduce((total, { amount }) => total + amount, 0n)
const coin = fc.record({ amount: fc.bigInt(1n, 100_000n) })

/** All ways to choose so many. */
function* subsets<T>(items: readonly T[], size: number): Generator<T[]> {
  if (size === 0) return yield []
  for (const [place, item] of items.entries()) for (const rest of subsets(items.slice(place + 1), size - 1)) yield [item, ...rest]
}

test('a selection pays for everything, with as few coins as can be, and is there whenever there is one', (t) => {
  fc.assert(
    fc.property(
      fc.array(coin, { maxLength: 6 }),
      fc.array(coin, { maxLength: 2 }),
      fc.bigInt(1_000n, 60_000n),
      fc.bigInt(1_000n, 50_000n),
      (others, must, amount, rate) => {
        const outputs = [{ script, amount }]
        const feeOf = (size: bigint) => costOf(rate, size)
        const need = { scheme: 'dkls23-secp256k1', outputs, script, feeOf } as const
        const selection = selectCoins(need, must, others)
        const isEnough = (coins: readonly { amount: bigint }[]) =>
          coins.length > 0 && sum(coins) >= amount + feeOf(virtualBytes(need.scheme, coins.length, outputs))
        const sizes = others.map((_, size) => size).concat(others.length)
        const fewest = sizes.find((size) => [...subsets(others, size)].some((subset) => isEnough([...must, ...subset])))
        t.is(selection === undefined, fewest === undefined)
        if (!selection) return
        const { coins, change, fee } = selection
        t.is(coins.length, must.length + fewest!)
        t.true(must.every((each) => coins.includes(each)))
        t.is(new Set(coins).size, coins.length)
        t.is(sum(coins), amount + change + fee)
        const made = change > 0n ? [...outputs, { script }] : outputs
        t.true(fee >= feeOf(virtualBytes(need.scheme, coins.length, made)))
        t.true(change === 0n || change >= dustLimit({ script }))
        t.true(fee < feeOf(virtualBytes(need.scheme, coins.length, [...outputs, { script }])) + dustLimit({ script }) + 1n)
      },
    ),
    { numRuns: 300 },
  )
})

test('more inputs than a transaction may have are refused, though they would be enough', (t) => {
  const need = { scheme: 'frost-secp256k1-tr', outputs: [{ script, amount: 50_000n }], script, feeOf: () => 0n } as const
  const coins = (count: number) => Array.from({ length: count }, () => ({ amount: 1_000n }))
  t.is(selectCoins(need, [], coins(60))?.coins.length, MAX_INPUTS)
  t.throws(() => selectCoins({ ...need, outputs: [{ script, amount: 50_001n }] }, [], coins(60)), { instanceOf: TooManyInputs })
})

test('the dust limits are those that nodes have for 3,000 satoshi per 1,000 virtual bytes', (t) => {
  for (const [kind, length, prefix, limit] of [
    ['P2PKH', 25, 0x76, 546n],
    ['P2SH', 23, 0xa9, 540n],
    ['P2WPKH', 22, 0x00, 294n],
    ['P2WSH', 34, 0x00, 330n],
    ['P2TR', 34, 0x51, 330n],
  ] as const)
    t.is(dustLimit({ script: new Uint8Array(length).fill(prefix, 0, 1) }), limit, kind)
})
