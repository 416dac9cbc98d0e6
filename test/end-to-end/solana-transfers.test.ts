import anyTest from 'ava'
import { chainsFile } from '../chains/chains-file.ts'
import { type SolanaNode, startSolana } from '../chains/solana-node.ts'
import { solanaAddress } from '../transactions.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

/** One after another: they share an account. */
const test = anyTest.serial

const CHAIN = 'solana:localnet'
const COIN = `${CHAIN}/slip44:501`
const MINT = solanaAddress(3)
const TOKENS = `${CHAIN}/token:${MINT}`
const STRANGER = solanaAddress(4)
const SOL = 1_000_000_000n
const WITHIN_MS = 30_000

let cluster: SolanaNode
let system: TestSystem
let file: Awaited<ReturnType<typeof chainsFile>>
test.before(async () => {
  cluster = await startSolana()
  file = await chainsFile({ [CHAIN]: { endpoints: [cluster.url], confirmations: 12, pollMs: 100 } })
  system = await startTestSystem({ chainsFile: file.path })
})
test.after.always(async () => {
  await system?.stop()
  await file?.remove()
  await cluster?.close()
})

type Balance = { asset: string; available: string; pending: string }
type Line = { verdict: string; asset: string; known: string; onChain: string }

test('coins and tokens come in, are credited, and leave again with signatures of the parties; what is known is what is there', async (t) => {
  const { client } = system
  const walletId = await client.createWallet('solana')
  const { keyId } = await client.generateKey(walletId, 'frost-ed25519', 2, 3, {})
  const { address } = await client.openAccount(walletId, { keyId, chain: CHAIN })
  const balanceOf = async (asset: string): Promise<Balance | undefined> =>
    (await client.balances(walletId)).find((balance) => balance.asset === asset)

  const watched = async () => {
    cluster.advance(1)
    return cluster.asked.includes('getSignaturesForAddress')
  }
  await until(watched, 'the account to be watched', WITHIN_MS)
  cluster.mint(MINT, 6, cluster.stranger, 1_000n)
  cluster.pay(address, 3n * SOL)
  cluster.payTokens(MINT, address, 500n)
  cluster.advance(8)
  await until(async () => (await balanceOf(COIN))?.pending === String(3n * SOL), 'the deposit to be seen', WITHIN_MS)
  t.is((await balanceOf(COIN))?.available, '0')
  cluster.advance(12)
  await until(async () => (await balanceOf(TOKENS))?.available === '500', 'the tokens to be credited', WITHIN_MS)
  await until(async () => (await balanceOf(COIN))?.available === String(3n * SOL), 'the coins to be credited', WITHIN_MS)

  for (const [asset, amount] of [
    [COIN, SOL],
    [TOKENS, 200n],
  ] as const) {
    const transferId = await client.requestTransfer(walletId, { chain: CHAIN, asset, to: STRANGER, amount: String(amount) })
    const status = async () => (await client.get<{ status: string }>(`/v1/transfers/${transferId}`)).status
    await until(async () => (await status()) === 'confirming', 'a block', WITHIN_MS)
    cluster.advance(12)
    const confirmed = await client.transfer(transferId, 'confirmed')
    t.is(confirmed.status, 'confirmed', JSON.stringify(confirmed))
    cluster.advance(32)
    const { status: end, hash } = await client.transfer(transferId, 'ended')
    t.is(end, 'finalized')
    t.is(hash, confirmed.hash)
  }

  t.is(BigInt(cluster.svm.getBalance(STRANGER as never) ?? 0), SOL)
  t.is(BigInt((await balanceOf(COIN))?.available ?? 0), BigInt(cluster.svm.getBalance(address as never) ?? 0))
  t.is((await balanceOf(TOKENS))?.available, '300')
  const lines = JSON.parse(await system.run('reconcile', '--json')) as Line[]
  t.deepEqual(lines.map(({ asset, verdict }) => [asset, verdict]).sort(), [
    [COIN, 'equal'],
    [TOKENS, 'equal'],
  ])
})
