import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { InvalidSetting } from '../process/settings.ts'
import { readChainsFile } from './chains-file.ts'
import { openChains } from './registry.ts'
import { RPC_DEFAULTS } from './rpc/settings.ts'

let folder: string
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorate-chains-'))
})
test.after.always(() => rm(folder, { recursive: true }))

let files = 0
async function file(content: unknown): Promise<string> {
  const path = join(folder, `${files++}.json`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('without a file the well-known chains are there, each by its own id', async (t) => {
  const chains = await openChains(undefined)
  for (const [id, nativeAsset] of [
    ['eip155:1', 'eip155:1/slip44:60'],
    ['eip155:11155111', 'eip155:11155111/slip44:60'],
    ['eip155:137', 'eip155:137/slip44:966'],
    ['eip155:42161', 'eip155:42161/slip44:60'],
    ['eip155:31337', 'eip155:31337/slip44:60'],
    ['bip122:000000000019d6689c085ae165831e93', 'bip122:000000000019d6689c085ae165831e93/slip44:0'],
    ['bip122:0f9188f13cb7b2c71f2a335e3a4fc328', 'bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0'],
    ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501'],
    ['solana:localnet', 'solana:localnet/slip44:501'],
  ] as const)
    t.like(chains.get(id), { id, nativeAsset })
  for (const [id, chain] of chains) t.is(chain.id, id)
})

test('a file says which chains there are, and there are no others', async (t) => {
  const chains = await openChains(
    await file({
      'eip155:31337': { endpoints: ['http://127.0.0.1:8545', 'https://rpc.example/v3/key'], confirmations: 2, finality: 12 },
      'eip155:10': {},
      'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1': {},
    }),
  )
  t.deepEqual([...chains.keys()], ['eip155:31337', 'eip155:10', 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1'])
})

test('what the file says of a chain is read', async (t) => {
  const settings = { endpoints: ['http://127.0.0.1:8545'], confirmations: 0, finality: 12, pollMs: 500, extra: { of: 'its own' } }
  t.deepEqual((await readChainsFile(await file({ 'eip155:1': settings, 'eip155:10': {} }))).get('eip155:1'), {
    ...settings,
    rpc: RPC_DEFAULTS,
  })
})

for (const [what, content, message] of [
  ['no JSON', '{', /cannot be read: not JSON/],
  ['a chain that stands twice', '{"eip155:1": {}, "eip155:1": {}}', /a name stands twice/],
  ['a list', [], /must be an object/],
  ['no chains', {}, /1 to 1000 chains/],
  ['an unknown kind of chain', { 'cosmos:cosmoshub-4': {} }, /"cosmos:cosmoshub-4" is of no known kind; there are eip155, bip122, solana/],
  ['a name of objects', { 'toString:1': {} }, /no known kind/],
  ['no reference', { eip155: {} }, /"eip155" cannot be the id/],
  ['a second spelling', { 'eip155:01': {} }, /"eip155:01" cannot be the id/],
  ['a chain id of 0', { 'eip155:0': {} }, /cannot be the id/],
  ['a chain id that is no exact number', { 'eip155:9007199254740993': {} }, /cannot be the id/],
  ['more than a CAIP-2 id', { 'eip155:1:2': {} }, /cannot be the id/],
  ['an unknown network of Bitcoin', { 'bip122:00000000000000000000000000000000': {} }, /cannot be the id/],
  ['a cluster whose reference is too long', { 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpX': {} }, /cannot be the id/],
  ['settings that are no object', { 'eip155:1': null }, /eip155:1: an object is expected/],
  [
    'an unknown setting',
    { 'eip155:1': { confirmatons: 2 } },
    /eip155:1: only endpoints, confirmations, finality, pollMs, rpc, extra may be there/,
  ],
  ['endpoints that are no list', { 'eip155:1': { endpoints: 'http://x' } }, /eip155:1: endpoints must be a list/],
  [
    'an endpoint that is no URL',
    { 'eip155:1': { endpoints: ['http://x', 'ws://secret'] } },
    /eip155:1: endpoints\[1\] must be an http:\/\//,
  ],
  ['negative confirmations', { 'eip155:1': { confirmations: -1 } }, /eip155:1: confirmations must be a whole number/],
  ['half a confirmation', { 'eip155:1': { confirmations: 0.5 } }, /eip155:1: confirmations must be a whole number/],
  ['a finality in words', { 'eip155:1': { finality: '12' } }, /eip155:1: finality must be a whole number/],
  ['an interval of no time', { 'eip155:1': { pollMs: 0 } }, /eip155:1: pollMs must be a whole number from 10 to/],
  [
    'a setting of endpoints in words',
    { 'eip155:1': { rpc: { timeoutMs: '1s' } } },
    /eip155:1: rpc: timeoutMs must be a whole number from 10/,
  ],
  ['an unknown setting of endpoints', { 'eip155:1': { rpc: { timeout: 1 } } }, /eip155:1: rpc: only timeoutMs, .* may be there/],
  ['a breaker that never breaks', { 'eip155:1': { rpc: { breaker: { failureRate: 1 } } } }, /rpc.breaker: failureRate must be a number/],
  ['a breaker without a window', { 'eip155:1': { rpc: { breaker: { windowMs: 0 } } } }, /rpc.breaker: windowMs must be a whole number/],
  ['finality before confirmation', { 'eip155:1': { confirmations: 3, finality: 2 } }, /eip155:1: finality must not be less/],
] as const) {
  test(`a file with ${what} is refused, and the error says why`, async (t) => {
    const error = await t.throwsAsync(openChains(await file(content)), { instanceOf: InvalidSetting, message })
    t.regex(error!.message, /^QUORATE_CHAINS/)
    t.notRegex(error!.message, /secret/)
  })
}

test('a file that is not there is named', async (t) => {
  const missing = join(folder, 'missing.json')
  await t.throwsAsync(openChains(missing), { instanceOf: InvalidSetting, message: `QUORATE_CHAINS: ${missing} cannot be read: ENOENT` })
})

const TOKEN = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const MINT = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v'

for (const [chain, asset, read] of [
  ['eip155:1', 'eip155:1/slip44:60', { id: 'eip155:1/slip44:60', token: null }],
  ['eip155:1', `eip155:1/erc20:${TOKEN.toLowerCase()}`, { id: `eip155:1/erc20:${TOKEN}`, token: TOKEN }],
  ['eip155:1', `erc20:${TOKEN}`, { id: `eip155:1/erc20:${TOKEN}`, token: TOKEN }],
  ['solana:localnet', 'slip44:501', { id: 'solana:localnet/slip44:501', token: null }],
  ['solana:localnet', 'solana:localnet/slip44:501', { id: 'solana:localnet/slip44:501', token: null }],
  ['solana:localnet', `solana:localnet/token:${MINT}`, { id: `solana:localnet/token:${MINT}`, token: MINT }],
] as const) {
  test(`${asset} is an asset of ${chain}`, async (t) => {
    t.deepEqual((await openChains(undefined)).get(chain)!.readAsset(asset, '/asset'), read)
  })
}

for (const [chain, asset, code] of [
  ['eip155:1', 'eip155:137/slip44:966', 'asset_unknown'],
  ['eip155:1', 'eip155:1/slip44:61', 'asset_unknown'],
  ['eip155:1', `eip155:1/erc721:${TOKEN}`, 'asset_unknown'],
  ['eip155:1', `eip155:10/erc20:${TOKEN}`, 'asset_unknown'],
  ['eip155:1', '', 'asset_unknown'],
  ['eip155:1', `eip155:1/erc20:${TOKEN.replace('aA', 'AA')}`, 'address_checksum_wrong'],
  ['eip155:1', 'eip155:1/erc20:0x', 'address_malformed'],
  ['bip122:000000000019d6689c085ae165831e93', 'bip122:000000000019d6689c085ae165831e93/token:x', 'asset_unknown'],
  ['solana:localnet', 'solana:localnet/token:x', 'address_malformed'],
] as const) {
  test(`"${asset}" is no asset of ${chain}`, async (t) => {
    const { readAsset } = (await openChains(undefined)).get(chain)!
    t.like(
      t.throws(() => readAsset(asset, '/asset'), { code }),
      { pointer: '/asset' },
    )
  })
}
