import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { openChains } from '../../../adapters/chains/registry.ts'
import { startEmbeddedEventStore } from '../../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../../adapters/eventstore/event-log.ts'
import type { ChainNode } from '../../../domain/ports/chain-node.ts'
import type { EventLog, RecordedEvent } from '../../../domain/ports/event-log.ts'
import { walletStream } from '../../../domain/wallet/events.ts'
import { positionOf } from '../../../domain/wallet/transfers/funds.ts'
import { requireWallet, type WalletCommand, wallet } from '../../../domain/wallet/wallet.ts'
import { execute } from '../../execute.ts'
import { load } from '../../load.ts'
import type { KnownAccount } from './accounts-on-chains.ts'
import { balanceComparison } from './compare-balances.ts'

const CHAIN = 'eip155:31337'
const chain = (await openChains(undefined)).get(CHAIN)!

async function startLog(t: ExecutionContext): Promise<EventLog> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  return log
}

/** A wallet with an account, and what is known to be settled in it. */
async function startWallet(t: ExecutionContext) {
  const log = await startLog(t)
  const walletId = randomUUID()
  const accountId = randomUUID()
  const aggregate = { decider: wallet, stream: walletStream(walletId) }
  const context = { commandId: randomUUID(), correlationId: 'c', causationId: 'c', actor: 'test', tenant: 'test' }
  const create: WalletCommand = { type: 'CreateWallet', walletId, tenant: 'test', name: '', clientKeys: [], policy: { rawDigests: false } }
  await execute(log, aggregate, () => create, context)
  const opened = { id: randomUUID(), metadata: { ...context, occurredAt: '', schemaVersion: 1 } } as unknown as RecordedEvent
  const account: KnownAccount = { accountId, walletId, chain: CHAIN, address: '0x01', opened }
  const settled = async () => positionOf(requireWallet((await load(log, aggregate)).state).funds, accountId, chain.nativeAsset).settled
  return { log, accounts: new Map([[account.address, account]]), settled }
}

test.serial('of two coordinators that see the same surplus, at different heights, one credits it', async (t) => {
  const { log, accounts, settled } = await startWallet(t)
  let height = 1n
  const seen = (meanwhile = async () => {}): Pick<ChainNode, 'balance' | 'depth' | 'confirmations'> => ({
    confirmations: 2,
    async balance() {
      const block = { height: height++, hash: `h${height}` }
      await meanwhile()
      return { amount: 9n, block }
    },
    depth: async (block) => Number(height - block.height),
  })
  const one = balanceComparison({ log, chain, node: seen() })
  let meanwhile = async () => {}
  const other = balanceComparison({ log, chain, node: seen(() => meanwhile()) })
  await other(accounts, true, height)
  await one(accounts, true, height)
  t.is(await settled(), '0')
  // While the other one is told the balance for the second time.
  meanwhile = () => one(accounts, true, height)
  await other(accounts, true, height)
  t.is(await settled(), '9')
})

test.serial('a surplus is credited once the deposits up to its block are written down, and the block has its confirmations', async (t) => {
  const { log, accounts, settled } = await startWallet(t)
  let [newest, block] = [7n, 'h7']
  const node: Pick<ChainNode, 'balance' | 'depth' | 'confirmations'> = {
    confirmations: 2,
    balance: async () => ({ amount: 9n, block: { height: newest, hash: block } }),
    depth: async ({ height, hash }) => (hash === 'h7' && block === 'reorganised' ? null : Number(newest - height) + 1),
  }
  const compare = balanceComparison({ log, chain, node })
  await compare(accounts, true, 6n)
  await compare(accounts, true, 7n)
  t.is(await settled(), '0', 'the block is too new')
  ;[newest, block] = [9n, 'reorganised']
  await compare(accounts, true, 9n)
  t.is(await settled(), '0', 'the block is gone')
  newest = 12n
  await compare(accounts, true, 8n)
  t.is(await settled(), '0', 'what has come in since the eighth block may be in the balance')
  await compare(accounts, true, 9n)
  t.is(await settled(), '9')
})
