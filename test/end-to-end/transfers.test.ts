import anyTest from 'ava'
import { type Anvil, startAnvil } from '../chains/anvil.ts'
import { chainsFile } from '../chains/chains-file.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

/** One after another: they share a chain. */
const test = anyTest.serial

const CHAIN = 'eip155:31337'
const ETHER = `${CHAIN}/slip44:60`
const STRANGER = '0x00000000000000000000000000000000DeaDBeef'
const ONE = 10n ** 18n

let anvil: Anvil
let system: TestSystem
let file: Awaited<ReturnType<typeof chainsFile>>
test.before(async () => {
  anvil = await startAnvil()
  file = await chainsFile({ [CHAIN]: { endpoints: [anvil.url], confirmations: 2, finality: 4, pollMs: 100 } })
  system = await startTestSystem({ chainsFile: file.path })
})
test.after.always(async () => {
  await system?.stop()
  await file?.remove()
  await anvil?.kill()
})

type Line = { verdict: string; onChain: string; known: string }

/** An account with an ether, of a key of its own. */
async function fundedAccount(): Promise<{ walletId: string; address: string; available(): Promise<bigint> }> {
  const { client } = system
  const walletId = await client.createWallet('transfers')
  const { keyId } = await client.generateKey(walletId, 'dkls23-secp256k1', 2, 3, {})
  const { address } = await client.openAccount(walletId, { keyId, chain: CHAIN })
  const available = async () => BigInt((await client.balances(walletId))[0]?.available ?? 0)
  const pending = async () => BigInt((await client.balances(walletId))[0]?.pending ?? 0)
  // What comes in before anybody looks for the account's deposits is never pending: it is found in the balance, when that is final.
  let sent = 0n
  const isWatched = async () => {
    await anvil.send(address, 1n)
    sent += 1n
    return (await pending()) > 0n
  }
  await until(isWatched, 'the account to be watched', 30_000)
  await anvil.send(address, ONE - sent)
  await until(async () => (await pending()) >= ONE - sent, 'the deposit to be seen', 30_000)
  const isCredited = async () => {
    await anvil.mine(1)
    return (await available()) === ONE
  }
  await until(isCredited, 'the deposit to be credited', 30_000)
  return { walletId, address, available }
}

test('a deposit is credited, and a transfer signed by the parties is confirmed and then final; what is known is what is there', async (t) => {
  const { client } = system
  const { walletId, address, available } = await fundedAccount()
  const transferId = await client.requestTransfer(walletId, { chain: CHAIN, asset: ETHER, to: STRANGER, amount: '12345' })
  const mining = setInterval(() => void anvil.mine(1), 500)
  t.teardown(() => clearInterval(mining))
  const confirmed = await client.transfer(transferId, 'confirmed')
  t.true(['confirmed', 'finalized'].includes(confirmed.status), JSON.stringify(confirmed))
  const { status, nonce, feePaid, hash } = await client.transfer(transferId, 'ended')
  t.is(status, 'finalized')
  t.is(nonce, '0')
  clearInterval(mining)
  t.is(BigInt(String(await anvil.call('eth_getBalance', STRANGER, 'latest'))), 12_345n)
  t.is(await available(), ONE - 12_345n - BigInt(feePaid ?? 0))
  t.is(BigInt(String(await anvil.call('eth_getBalance', address, 'latest'))), await available())
  const listed = await client.get<{ items: { transferId: string }[] }>(`/v1/wallets/${walletId}/transfers?status=finalized`)
  t.deepEqual(
    listed.items.map((item) => item.transferId),
    [transferId],
  )
  const history = await client.get<{ items: { type: string; transferId?: string; data: { hash?: string } }[] }>(
    `/v1/wallets/${walletId}/history?limit=200`,
  )
  t.is(history.items.find(({ type }) => type === 'TransferFinalized')?.data.hash, hash)
  const lines = JSON.parse(await system.run('reconcile', '--json')) as Line[]
  t.deepEqual(
    lines.map(({ verdict }) => verdict),
    ['equal'],
  )
})

test('transfers that are asked for at once are all paid, each once, with nonces that leave no gap', async (t) => {
  const { client } = system
  const { walletId, address } = await fundedAccount()
  const before = BigInt(String(await anvil.call('eth_getBalance', STRANGER, 'latest')))
  const amounts = Array.from({ length: 10 }, (_, index) => String(index + 1))
  const ids = await Promise.all(
    amounts.map((amount) => client.requestTransfer(walletId, { chain: CHAIN, asset: ETHER, to: STRANGER, amount })),
  )
  const mining = setInterval(() => void anvil.mine(1), 500)
  t.teardown(() => clearInterval(mining))
  const transfers = await until(async () => {
    const all = await Promise.all(ids.map((id) => client.transfer(id, 'ended')))
    return all.every(({ status }) => status === 'finalized') && all
  }, 'all of them to be final')
  const nonces = transfers.map(({ nonce }) => Number(nonce))
  t.deepEqual(
    nonces.sort((one, other) => one - other),
    [...amounts.keys()],
  )
  t.is(BigInt(String(await anvil.call('eth_getTransactionCount', address, 'latest'))), 10n)
  t.is(BigInt(String(await anvil.call('eth_getBalance', STRANGER, 'latest'))) - before, 55n)
})

test('reconciliation ends with an error when an account has less than is known of it', async (t) => {
  const { address } = await fundedAccount()
  await anvil.fund(address, ONE / 2n)
  const error = await t.throwsAsync(system.run('reconcile', '--json'))
  const lines = JSON.parse((error as Error & { stdout: string }).stdout) as Line[]
  t.deepEqual(lines.map(({ verdict }) => verdict).sort(), ['different', 'equal', 'equal'])
})
