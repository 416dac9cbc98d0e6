import test from 'ava'
import { DomainError } from '../../domain-error.ts'
import { MalformedJson } from '../../json/strict-json.ts'
import { readWantedAcceleration, readWantedTransfer } from './wanted-transfer.ts'

const wanted = { chain: 'eip155:1', asset: 'eip155:1/slip44:60', to: '0x', amount: '5' }
const read = (changes: object = {}) => readWantedTransfer(JSON.stringify({ ...wanted, ...changes }))

test('what is left out takes its default', (t) => {
  t.deepEqual(read(), { ...wanted, amount: 5n, fee: 'normal', memo: null, publicMemo: null, accountId: null, maxFee: null, psbt: null })
  const accountId = 'df9f5235-8081-4365-bb45-e12ff6058358'
  t.deepEqual(read({ fee: 'high', memo: 'é', publicMemo: 'ß', accountId, maxFee: '0' }), {
    ...wanted,
    amount: 5n,
    fee: 'high',
    memo: 'é',
    publicMemo: 'ß',
    accountId,
    maxFee: 0n,
    psbt: null,
  })
  const psbt = 'QUJD'.repeat(5_000)
  t.is(read({ psbt }).psbt, psbt)
})

for (const [amount, code] of [
  ['0', 'amount_zero'],
  ['-0', 'amount_negative'],
  ['-5', 'amount_negative'],
  ['5.0', 'amount_fractional'],
  ['0.000000000000000001', 'amount_fractional'],
  ['+5', 'amount_malformed'],
  ['05', 'amount_malformed'],
  ['0x5', 'amount_malformed'],
  ['5 ', 'amount_malformed'],
  ['٥', 'amount_malformed'],
  ['', 'amount_malformed'],
  [String(2n ** 256n), 'amount_too_large'],
  ['9'.repeat(1_000), 'amount_too_large'],
] as const) {
  test(`"${amount.slice(0, 20)}" cannot be moved: ${code}`, (t) => {
    const error = t.throws(() => read({ amount }), { instanceOf: DomainError, code }) as DomainError
    t.is(error.pointer, '/amount')
  })
}

test('the largest amount is what fits into 256 bits', (t) => {
  t.is(read({ amount: String(2n ** 256n - 1n) }).amount, 2n ** 256n - 1n)
})

test('anything but its fields is refused, and anything that can be read in two ways', (t) => {
  const { amount: _, ...incomplete } = wanted
  for (const body of [
    '',
    '[]',
    JSON.stringify(incomplete),
    JSON.stringify({ ...wanted, more: 1 }),
    JSON.stringify(wanted).replace('{', '{"to":"1x",'),
    ...[
      { amount: 5 },
      { chain: '' },
      { to: null },
      { fee: 'none' },
      { memo: '' },
      { memo: 'a\nb' },
      { memo: 'a\u200bb' },
      { memo: '\ud800' },
      { publicMemo: '' },
      { publicMemo: 'a\u200bb' },
      { accountId: 'A' },
      { maxFee: 1 },
      { asset: 'x'.repeat(201) },
      { psbt: '' },
      { psbt: 'QQ' },
      { psbt: 'QR==' },
      { psbt: 'cHNidA__' },
      { psbt: 'QUJD'.repeat(9_000) },
    ].map((changes) => JSON.stringify({ ...wanted, ...changes })),
    JSON.stringify({ ...wanted, memo: 'x'.repeat(10_000) }),
  ])
    t.throws(() => readWantedTransfer(body), { instanceOf: MalformedJson }, body)
})

test('an acceleration names its fee', (t) => {
  t.deepEqual(readWantedAcceleration('{"fee":"high","maxFee":"7"}'), { fee: 'high', maxFee: 7n })
  for (const body of ['{}', '{"fee":"higher"}', '{"fee":"high","amount":"1"}'])
    t.throws(() => readWantedAcceleration(body), { instanceOf: MalformedJson })
})
