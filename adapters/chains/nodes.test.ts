import test, { type ExecutionContext } from 'ava'
import { chainsFile } from '../../test/chains/chains-file.ts'
import { InvalidSetting } from '../process/settings.ts'
import { openChainNodes } from './nodes.ts'

const ENDPOINTS = ['http://127.0.0.1:1/secret']
const TOKEN = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

async function opened(t: ExecutionContext, chains: { readonly [id: string]: unknown }) {
  const file = await chainsFile(chains)
  t.teardown(() => file.remove())
  return openChainNodes(file.path)
}

test('there are nodes of those chains that have endpoints, with what is usual for each', async (t) => {
  const nodes = await opened(t, {
    'eip155:1': { endpoints: ENDPOINTS, extra: { minimumTip: '5', gasMargin: 150, maxGas: 100_000, tokens: [TOKEN.toLowerCase()] } },
    'eip155:10': {},
    'eip155:137': { endpoints: ENDPOINTS, pollMs: 700 },
    'eip155:42161': { endpoints: ENDPOINTS, confirmations: 7 },
    'eip155:11155111': { endpoints: ENDPOINTS, finality: 3 },
  })
  t.deepEqual([...nodes.keys()], ['eip155:1', 'eip155:137', 'eip155:42161', 'eip155:11155111'])
  t.like(nodes.get('eip155:1'), { chain: 'eip155:1', confirmations: 12, finality: 64, pollMs: 4_000 })
  t.like(nodes.get('eip155:137'), { confirmations: 32, finality: 256, pollMs: 700 })
  t.like(nodes.get('eip155:42161'), { confirmations: 7, finality: 4_800, pollMs: 1_000 })
  t.like(nodes.get('eip155:11155111'), { confirmations: 3, finality: 3 })
})

test('without a file there are none', async (t) => {
  t.is((await openChainNodes(undefined)).size, 0)
})

for (const [what, extra, message] of [
  ['what is no object', 5, /eip155:1: extra: an object is expected/],
  ['an unknown field', { tip: '1' }, /extra: only minimumTip, gasMargin, maxGas, tokens may be there/],
  ['a tip that is a number', { minimumTip: 5 }, /extra: minimumTip must be wei in decimal digits/],
  ['a tip that nobody means', { minimumTip: '10000000000000' }, /extra: minimumTip/],
  ['a margin that takes gas away', { gasMargin: 99 }, /extra: gasMargin must be a whole number from 100/],
  ['too little gas for any transfer', { maxGas: 20_999 }, /extra: maxGas must be a whole number from 21000/],
  ['tokens that are no list', { tokens: TOKEN }, /extra: tokens must be a list/],
  ['a token with a wrong checksum', { tokens: [TOKEN.replace('aA', 'AA')] }, /extra: tokens\[0\]: .*ERC-55/],
] as const) {
  test(`${what} in the settings of an EVM chain is refused, and the error says where`, async (t) => {
    const error = await t.throwsAsync(opened(t, { 'eip155:1': { endpoints: ENDPOINTS, extra } }), { instanceOf: InvalidSetting, message })
    t.regex(error!.message, /^QUORATE_CHAINS/)
    t.notRegex(error!.message, /secret/)
  })
}
