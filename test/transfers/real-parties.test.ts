/** Transfers that real parties sign, in processes of their own, over a real node. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import anyTest, { type ExecutionContext } from 'ava'
import { createSigner, type TestSigner } from '../../domain/authorisation/testing/signer.ts'
import type { KeyView, TransferView } from '../../scripts/client/client.ts'
import { signIntent } from '../../scripts/client/intent.ts'
import { type Anvil, startAnvil } from '../chains/anvil.ts'
import { chainsFile } from '../chains/chains-file.ts'
import { startTestSystem, type TestSystem, until } from '../end-to-end/system.ts'
import { portToKeep } from '../port-to-keep.ts'

/** One after another: each has a node and a system of its own. */
const test = anyTest.serial

const MANY = Number(process.env.QUORATE_TRANSFERS ?? 40)
const CHAIN = 'eip155:31337'
const ETHER = `${CHAIN}/slip44:60`
const STRANGER = '0x00000000000000000000000000000000DeaDBeef'
const WITHIN_MS = 20 * 60_000

type Bench = { system: TestSystem; node(): Anvil; restartNode(): Promise<void>; paid(): Promise<bigint> }

/** With a block a second, and a state that a killed node comes back with, two seconds old at most. */
async function start(t: ExecutionContext, parties: number, settings: object): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-anvil-'))
  const args = ['--block-time', '1', '--state', join(folder, 'state.json'), '--state-interval', '2', '--preserve-historical-states']
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const port = await portToKeep()
  let anvil = await startAnvil({ args, port })
  t.teardown(() => anvil.kill())
  const file = await chainsFile({ [CHAIN]: { endpoints: [anvil.url], pollMs: 100, ...settings } })
  t.teardown(() => file.remove())
  const system = await startTestSystem({ parties, chainsFile: file.path })
  t.teardown(() => system.stop())
  return {
    system,
    node: () => anvil,
    async restartNode() {
      await anvil.kill()
      anvil = await startAnvil({ args, port })
    },
    paid: async () => BigInt(String(await anvil.call('eth_getBalance', STRANGER, 'latest'))),
  }
}

/** An account with an ether, which is there for good. */
async function fundedAccount({ system, node }: Bench, [threshold, parties]: readonly [number, number], policy = {}) {
  const { client } = system
  const walletId = await client.createWallet('transfers', policy)
  const { keyId } = await client.generateKey(walletId, 'dkls23-secp256k1', threshold, parties, policy)
  await until(async () => (await client.get<KeyView>(`/v1/keys/${keyId}`, { waitSeconds: 30 })).status === 'active', 'the key to be there')
  const { address } = await client.openAccount(walletId, { keyId, chain: CHAIN })
  await node().send(address, 10n ** 18n)
  await node().mine(20)
  await until(async () => BigInt((await client.balances(walletId))[0]?.available ?? 0) === 10n ** 18n, 'the deposit to be credited')
  return { walletId, address }
}

/** Asks for a payment, again for as long as a busy system says that it might do it later. */
async function ask({ system }: Bench, walletId: string, amount: bigint): Promise<string> {
  const path = `/v1/wallets/${walletId}/transfers`
  const body = Buffer.from(JSON.stringify({ chain: CHAIN, asset: ETHER, to: STRANGER, amount: String(amount) }))
  const key = randomUUID()
  for (;;) {
    const answer = await fetch(system.dev.baseUrl + path, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${system.dev.token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
        'quorate-intent': await signIntent(system.dev, 'POST', path, body),
      },
    })
    const { transferId, retryable, code } = (await answer.json()) as { transferId: string; retryable?: boolean; code?: string }
    if (answer.ok) return transferId
    if (!retryable) throw new Error(`${answer.status} ${code}`)
    await delay(1_000)
  }
}

const ENDS = ['finalized', 'reverted', 'cancelled', 'rejected', 'expired', 'failed', 'replaced', 'dropped']

async function transfersOf({ system }: Bench, walletId: string): Promise<TransferView[]> {
  const all: TransferView[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { items: TransferView[]; nextCursor: string | null } = await system.client.get(
      `/v1/wallets/${walletId}/transfers?limit=200${cursor && `&cursor=${cursor}`}`,
    )
    all.push(...page.items)
    cursor = page.nextCursor
  }
  return all
}

test(`${MANY} transfers at once, and a node that is rolled back, killed, and comes back with an earlier chain: each is paid once`, async (t) => {
  t.timeout(WITHIN_MS)
  const bench = await start(t, 3, { confirmations: 2, finality: 12 })
  const { walletId, address } = await fundedAccount(bench, [2, 3])
  // What is to stay is in the state that the node comes back with.
  await delay(4_000)
  const begun = Date.now()
  const amounts = Array.from({ length: MANY }, (_, index) => String(index + 1))
  await Promise.all(amounts.map((amount) => ask(bench, walletId, BigInt(amount))))
  t.log(`asked for within ${Date.now() - begun} ms`)
  const count = async (isCounted: (transfer: TransferView) => boolean) => (await transfersOf(bench, walletId)).filter(isCounted).length
  const isMined = ({ status, block }: TransferView) => ENDS.includes(status) || (block !== undefined && block !== null)
  await until(async () => (await count(isMined)) >= MANY / 4, 'a quarter of them to be mined', WITHIN_MS)
  await bench.node().call('anvil_rollback', 3)
  await until(async () => (await count(isMined)) >= MANY / 2, 'half of them to be mined', WITHIN_MS)
  await bench.restartNode()
  await until(async () => (await count(({ status }) => ENDS.includes(status))) === MANY, 'all of them to end', WITHIN_MS)
  t.log(`ended within ${Date.now() - begun} ms`)

  const transfers = await transfersOf(bench, walletId)
  for (const { status } of transfers) t.is(status, 'finalized')
  const nonces = transfers.map(({ nonce }) => Number(nonce)).sort((one, other) => one - other)
  t.deepEqual(nonces, [...amounts.keys()])
  t.is(BigInt(String(await bench.node().call('eth_getTransactionCount', address, 'latest'))), BigInt(MANY))
  t.is(await bench.paid(), BigInt((MANY * (MANY + 1)) / 2))
  const lines = JSON.parse(await bench.system.run('reconcile', '--json')) as { verdict: string }[]
  t.deepEqual(
    lines.map(({ verdict }) => verdict),
    ['equal'],
  )
})

test('above a value a transfer takes two approvers and all five parties, and below it neither', async (t) => {
  t.timeout(WITHIN_MS)
  const [alice, bob, mallory] = [createSigner('alice'), createSigner('bob', 'P-256'), createSigner('mallory')]
  const bench = await start(t, 5, { confirmations: 1, finality: 2 })
  const { client, dev } = bench.system
  // An ether is worth more than this by any table of prices.
  const tiers = [{ id: 'large', above: { usd: '100' }, signers: 5, approvals: 2 }]
  const policy = { transfers: { tiers, approvers: [alice.key, bob.key] } }
  const { walletId } = await fundedAccount(bench, [3, 5], policy)
  const ended = (transferId: string) =>
    until(
      async () => {
        const transfer = await client.transfer(transferId, 'ended')
        return ENDS.includes(transfer.status) && transfer
      },
      'the transfer to end',
      WITHIN_MS,
    )
  const signersOf = async (transferId: string) => {
    const { sessionIds } = (await ended(transferId)) as TransferView & { sessionIds: string[] }
    return (await client.session(sessionIds[0]!)).signers.length
  }
  const decide = async (transferId: string, approver: TestSigner) => {
    const path = `/v1/transfers/${transferId}/approvals`
    const body = JSON.stringify({ decision: 'approve' })
    const { intent } = approver.authorise({ method: 'POST', path, body })
    const headers = { authorization: `Bearer ${dev.token}`, 'content-type': 'application/json', 'quorate-intent': intent! }
    const answer = await fetch(dev.baseUrl + path, { method: 'POST', body, headers })
    return { http: answer.status, ...((await answer.json()) as { status?: string; code?: string }) }
  }

  const small = await ask(bench, walletId, 10n ** 15n)
  t.is((await ended(small)).status, 'finalized')
  t.is(await signersOf(small), 3)

  const large = await ask(bench, walletId, 10n ** 17n)
  t.like(await decide(large, mallory), { http: 403, code: 'approval_by_stranger' })
  t.like(await decide(large, alice), { http: 200, status: 'pending_approval' })
  t.like(await decide(large, alice), { http: 200, status: 'pending_approval' }, 'nobody approves twice')
  t.is(await bench.paid(), 10n ** 15n)
  t.like(await decide(large, bob), { http: 200, status: 'queued' })
  t.is((await ended(large)).status, 'finalized')
  t.is(await signersOf(large), 5)
  t.is(await bench.paid(), 10n ** 15n + 10n ** 17n)
})
