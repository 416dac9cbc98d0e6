import { Transaction } from '@scure/btc-signer/transaction.js'
import anyTest from 'ava'
import { NETWORKS } from '../../adapters/chains/bitcoin/networks.ts'
import { spenderOf } from '../../adapters/chains/bitcoin/testing/spender.ts'
import { type BitcoinNode, startBitcoinNode } from '../chains/bitcoin-node.ts'
import { chainsFile } from '../chains/chains-file.ts'
import { type FaultProxy, startFaultProxy } from '../chains/fault-proxy.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

/** One after another: they share a chain. */
const test = anyTest.serial

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328'
const CHAIN = `bip122:${GENESIS}`
const BITCOINS = `${CHAIN}/slip44:0`
const regtest = NETWORKS[GENESIS]!
const MAIN = NETWORKS['000000000019d6689c085ae165831e93']!

let bitcoind: BitcoinNode
let proxy: FaultProxy
let system: TestSystem
let file: Awaited<ReturnType<typeof chainsFile>>
test.before(async () => {
  bitcoind = await startBitcoinNode()
  proxy = await startFaultProxy(bitcoind.url)
  file = await chainsFile({ [CHAIN]: { endpoints: [proxy.url], confirmations: 2, finality: 3, pollMs: 100 } })
  system = await startTestSystem({ chainsFile: file.path })
})
test.after.always(async () => {
  await system?.stop()
  await file?.remove()
  await proxy?.close()
  await bitcoind?.stop()
})

const someone = () => spenderOf(regtest, 'dkls23-secp256k1').sender.address

/** An account with coins of these amounts, of a key of its own. */
async function fundedAccount(scheme: 'dkls23-secp256k1' | 'frost-secp256k1-tr', ...coins: number[]) {
  const { client } = system
  const walletId = await client.createWallet('bitcoin')
  const { keyId } = await client.generateKey(walletId, scheme, 2, 3, {})
  const { address, position } = await client.openAccount(walletId, { keyId, chain: CHAIN })
  await client.get(`/v1/wallets/${walletId}/accounts?minPosition=${position}`, { waitSeconds: 10 })
  const balance = async () => (await client.balances(walletId))[0] ?? { available: '0', reserved: '0', pending: '0' }
  const all = String(coins.reduce((sum, each) => sum + each, 0))
  for (const each of coins) await bitcoind.pay(address, each)
  await bitcoind.mine(1)
  await until(async () => (await balance()).pending === all, 'the deposits to be seen', 30_000)
  await bitcoind.mine(1)
  await until(async () => (await balance()).available === all, 'the deposits to be credited', 30_000)
  return { walletId, address, balance }
}

/** What the chain knows of an address, in satoshi. */
async function onChain(address: string): Promise<bigint> {
  const { unspents } = (await bitcoind.call('scantxoutset', 'start', [`addr(${address})`])) as { unspents: { amount: number }[] }
  return unspents.reduce((sum, { amount }) => sum + BigInt(Math.round(amount * 1e8)), 0n)
}

/** As it is once so many of its transactions were sent. */
const sentVersions = (transferId: string, versions: number) =>
  until(
    async () => {
      const transfer = await system.client.transfer(transferId, 'confirmed', 0)
      return transfer.transactions.length === versions && transfer.status === 'broadcasting' && transfer
    },
    `version ${versions} to be sent`,
    30_000,
  )

async function mineUntilEnded(transferId: string) {
  const mining = setInterval(() => void bitcoind.mine(1), 300)
  try {
    return await system.client.transfer(transferId, 'ended')
  } finally {
    clearInterval(mining)
  }
}

for (const [kind, scheme] of [
  ['P2WPKH', 'dkls23-secp256k1'],
  ['P2TR', 'frost-secp256k1-tr'],
] as const) {
  test(`${kind}: a transfer of several coins is signed by the parties, done faster on request, mined and final; what is known is what is there`, async (t) => {
    const { client } = system
    const { walletId, address, balance } = await fundedAccount(scheme, 30_000, 40_000)
    const to = someone()
    const lost = new Set<unknown>()
    proxy.fault = ({ method, params }) => {
      if (method !== 'sendrawtransaction' || lost.has(params[0])) return undefined
      lost.add(params[0])
      return { kind: 'lose-answer' }
    }
    const transferId = await client.requestTransfer(walletId, { chain: CHAIN, asset: BITCOINS, to, amount: '50000', fee: 'low' })
    const sent = await sentVersions(transferId, 1)
    t.is(sent.sessionIds.length, 2)
    const { state, psbt } = await client.get<{ state: string; psbt: string }>(`/v1/transfers/${transferId}/psbt`)
    t.is(state, 'final')
    t.is(Transaction.fromPSBT(Buffer.from(psbt, 'base64')).id, String(sent.hash))
    await client.accelerateTransfer(transferId, { fee: 'high' })
    const faster = await sentVersions(transferId, 2)
    t.not(faster.hash, sent.hash)
    t.deepEqual(faster.transactions[1]?.conflicts, faster.transactions[0]?.conflicts)
    const ended = await mineUntilEnded(transferId)
    t.is(ended.status, 'finalized')
    t.is(ended.hash, faster.hash)
    t.is(lost.size, 2, 'each transaction was signed once')
    t.is(await onChain(to), 50_000n)
    const left = 70_000n - 50_000n - BigInt(ended.feePaid ?? 0)
    t.is(await onChain(address), left)
    t.like(await balance(), { available: String(left), reserved: '0', pending: '0' })
  })
}

type Unspent = { txid: string; vout: number; amount: number; scriptPubKey: string }

test('what another wallet has made as a PSBT is signed by the parties as it is, when it does what the transfer says', async (t) => {
  const { client } = system
  const { walletId, address, balance } = await fundedAccount('dkls23-secp256k1', 30_000, 50_000)
  const { unspents } = (await bitcoind.call('scantxoutset', 'start', [`addr(${address})`])) as { unspents: Unspent[] }
  const to = someone()
  const psbtOf = async ({ txid, vout, scriptPubKey }: Unspent, amount: bigint, changes: object = {}) => {
    const { hex } = (await bitcoind.call('getrawtransaction', txid)) as { hex: string }
    const own = { amount, script: Buffer.from(scriptPubKey, 'hex') }
    const psbt = new Transaction({ version: 2 })
    psbt.addInput({ txid, index: vout, nonWitnessUtxo: hex, witnessUtxo: own, sequence: 0xfffffffd, ...changes })
    psbt.addOutputAddress(to, 20_000n, regtest.parameters)
    psbt.addOutputAddress(address, amount - 20_000n - 700n, regtest.parameters)
    return psbt
  }
  const wish = (psbt: Transaction) => ({
    ...{ chain: CHAIN, asset: BITCOINS, to, amount: '20000' },
    psbt: Buffer.from(psbt.toPSBT()).toString('base64'),
  })
  const larger = unspents.find(({ amount }) => amount === 0.0005)!
  const psbt = await psbtOf(larger, 50_000n)
  for (const [wanted, code] of [
    [{ ...wish(psbt), amount: '20001' }, 'psbt_mismatch'],
    [{ ...wish(psbt), to: someone() }, 'psbt_mismatch'],
    [{ ...wish(psbt), psbt: 'cHNidP8A' }, 'psbt_invalid'],
    [wish(await psbtOf(larger, 50_000n, { sequence: 0xffffffff })), 'psbt_invalid'],
    [{ ...wish(psbt), maxFee: '699' }, 'fee_too_high'],
  ] as const) {
    const error = await t.throwsAsync(client.requestTransfer(walletId, wanted))
    t.regex(error?.message ?? '', new RegExp(`^422 .*"code":"${code}`))
  }
  const transferId = await client.requestTransfer(walletId, wish(psbt))
  t.is((await sentVersions(transferId, 1)).hash, psbt.id)
  const { status, feePaid } = await mineUntilEnded(transferId)
  t.deepEqual([status, feePaid], ['finalized', '700'])
  t.is(await onChain(to), 20_000n)
  t.like(await balance(), { available: '59300', reserved: '0', pending: '0' })
  const spent = await t.throwsAsync(client.requestTransfer(walletId, wish(psbt)))
  t.regex(spent?.message ?? '', /^422 .*"code":"inputs_missing"/)
})

test('a transfer that is sent is cancelled by the parties; refused is what cannot be meant, by a code of its own, and nothing stays reserved', async (t) => {
  const { client } = system
  const { walletId, address, balance } = await fundedAccount('dkls23-secp256k1', 60_000)
  const to = someone()
  const wanted = { chain: CHAIN, asset: BITCOINS, to, amount: '20000' }
  const before = await balance()
  for (const [change, status, code] of [
    [{ to: `${to.slice(0, -1)}${to.endsWith('q') ? 'p' : 'q'}` }, 422, 'address_checksum_wrong'],
    [{ to: spenderOf(MAIN, 'dkls23-secp256k1').sender.address }, 422, 'address_of_another_network'],
    [{ to: 'nobody' }, 422, 'address_malformed'],
    [{ to: address }, 422, 'transaction_rejected'],
    [{ amount: '0' }, 422, 'amount_zero'],
    [{ amount: '-1' }, 422, 'amount_negative'],
    [{ amount: '293' }, 422, 'dust'],
    [{ amount: '60001' }, 422, 'insufficient_funds'],
    [{ amount: '60000' }, 422, 'insufficient_funds'],
    [{ maxFee: '10' }, 422, 'fee_too_high'],
    [{ asset: `${CHAIN}/erc20:0x00000000000000000000000000000000DeaDBeef` }, 422, 'asset_unknown'],
    [{ publicMemo: 'x'.repeat(81) }, 422, 'transaction_rejected'],
  ] as const) {
    const error = await t.throwsAsync(client.requestTransfer(walletId, { ...wanted, ...change }), undefined, JSON.stringify(change))
    t.regex(error?.message ?? '', new RegExp(`^${status} .*"code":"${code}`), JSON.stringify(change))
  }
  t.deepEqual(await balance(), before)

  const transferId = await client.requestTransfer(walletId, wanted)
  await sentVersions(transferId, 1)
  await client.cancelTransfer(transferId)
  await sentVersions(transferId, 2)
  t.is((await mineUntilEnded(transferId)).status, 'cancelled')
  t.is(await onChain(to), 0n)
  t.like(await balance(), { available: String(await onChain(address)), reserved: '0' })

  const lines = JSON.parse(await system.run('reconcile', '--json')) as { verdict: string }[]
  t.deepEqual(
    lines.map(({ verdict }) => verdict),
    ['equal', 'equal', 'equal', 'equal'],
  )
})
