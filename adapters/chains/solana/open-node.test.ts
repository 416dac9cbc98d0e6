import test, { type ExecutionContext } from 'ava'
import { chainsFile } from '../../../test/chains/chains-file.ts'
import { InvalidSetting } from '../../process/settings.ts'
import { openChainNodes } from '../nodes.ts'

const CHAIN = 'solana:localnet'
const [PAYER, ONE, OTHER] = ['SysvarRent111111111111111111111111111111111', 'SysvarC1ock11111111111111111111111111111111', '1'.repeat(32)]

async function opened(t: ExecutionContext, settings: object) {
  const file = await chainsFile({ [CHAIN]: { endpoints: ['http://127.0.0.1:1/secret'], ...settings } })
  t.teardown(() => file.remove())
  return (await openChainNodes(file.path)).get(CHAIN)!
}

test('confirmations and finality are as they are set, and usual ones otherwise', async (t) => {
  t.like(await opened(t, {}), { confirmations: 32, finality: 32, pollMs: 1_000 })
  t.like(await opened(t, { confirmations: 1 }), { confirmations: 1, finality: 32 })
  t.like(await opened(t, { finality: 5 }), { confirmations: 5, finality: 5 })
  t.like(await opened(t, { confirmations: 64 }), { confirmations: 64, finality: 64 })
})

test('an address has one account of a durable nonce, or several', async (t) => {
  await t.notThrowsAsync(opened(t, { extra: { nonceAccounts: { [PAYER]: ONE } } }))
  await t.notThrowsAsync(opened(t, { extra: { nonceAccounts: { [PAYER]: [ONE, OTHER] } } }))
})

for (const [what, nonceAccounts] of [
  ['for what is no address', { payer: ONE }],
  ['that are no addresses', { [PAYER]: ['one'] }],
  ['that are numbers', { [PAYER]: 7 }],
  ['that stand there twice', { [PAYER]: [ONE, ONE] }],
  ['of two addresses at once', { [PAYER]: ONE, [OTHER]: ONE }],
  ['that are too many', { [PAYER]: Array(21).fill(ONE) }],
] as const) {
  test(`accounts of durable nonces ${what} are refused, and the error says where`, async (t) => {
    const error = await t.throwsAsync(opened(t, { extra: { nonceAccounts } }), {
      instanceOf: InvalidSetting,
      message: /extra: nonceAccounts must be/,
    })
    t.notRegex(error!.message, /secret/)
  })
}
