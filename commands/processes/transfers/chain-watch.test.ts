import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../../adapters/eventstore/event-log.ts'
import type { Deposit } from '../../../domain/ports/chain-node.ts'
import type { RecordedEvent } from '../../../domain/ports/event-log.ts'
import { walletStream } from '../../../domain/wallet/events.ts'
import { positionOf } from '../../../domain/wallet/transfers/funds.ts'
import { requireWallet, type WalletCommand, wallet } from '../../../domain/wallet/wallet.ts'
import { execute } from '../../execute.ts'
import { load, rememberingLog } from '../../load.ts'
import { inSequence } from '../in-sequence.ts'
import type { KnownAccount } from './accounts-on-chains.ts'
import { watchChain } from './chain-watch.ts'
import { writeFound } from './write-deposits.ts'

const CHAIN = 'eip155:31337'
const ASSET = 'eip155:31337/slip44:60'
const CROWD = 2_100

test('a wallet that more comes in for than it has room for holds up nobody else, and has everything in the end', async (t) => {
  const server = await startEmbeddedEventStore({ port: 0 })
  const plain = connectEventLog({ url: server.url })
  const log = rememberingLog(plain, { onFailure: (_, error) => t.log(error) })
  t.teardown(async () => {
    await plain.close()
    await server.close()
  })
  const context = { commandId: randomUUID(), correlationId: 'c', causationId: 'c', actor: 'test', tenant: 'test' }
  const opened = { id: randomUUID(), metadata: { ...context, occurredAt: '', schemaVersion: 1 } } as unknown as RecordedEvent
  const command = (walletId: string, commands: readonly WalletCommand[]) =>
    execute(log, { decider: inSequence(wallet), stream: walletStream(walletId) }, () => commands, { ...context, commandId: randomUUID() })
  const open = async (address: string): Promise<KnownAccount> => {
    const walletId = randomUUID()
    await command(walletId, [{ type: 'CreateWallet', walletId, tenant: 'test', name: '', clientKeys: [], policy: { rawDigests: false } }])
    return { accountId: address, walletId, chain: CHAIN, address, opened }
  }
  const crowded = await open('crowded')
  const other = await open('other')
  const accounts = new Map([crowded, other].map((account) => [account.address, account]))
  const stateOf = async ({ walletId }: KnownAccount) =>
    requireWallet((await load(log, { decider: wallet, stream: walletStream(walletId) })).state)
  const settledOf = async (account: KnownAccount) => positionOf((await stateOf(account)).funds, account.accountId, ASSET).settled

  const deposit = (to: string, height: number, index = 0): Deposit => ({
    id: `${to}/${height}/${index}`,
    hash: `${to}/${height}/${index}`,
    to,
    asset: ASSET,
    amount: 1n,
    from: null,
    block: { height: BigInt(height), hash: `b${height}` },
  })
  const blocks = [
    [],
    Array.from({ length: CROWD }, (_, index) => deposit('crowded', 1, index)),
    [deposit('other', 2), deposit('crowded', 2)],
    [deposit('other', 3)],
  ]
  const cursors: (string | null)[] = []
  const node = {
    chain: CHAIN,
    pollMs: 1,
    async deposits(addresses: ReadonlySet<string>, cursor: string | null) {
      if (addresses.has('other')) cursors.push(cursor)
      const height = Math.min(Number(cursor ?? -1) + 1, blocks.length - 1)
      const found = cursor === String(height) ? [] : blocks[height]!.filter(({ to }) => addresses.has(to))
      return { found, cursor: String(height), height: BigInt(height), isAtHead: height === blocks.length - 1 }
    },
  }
  const stop = new AbortController()
  const behindAt: boolean[] = []
  await watchChain({
    log,
    node,
    signal: stop.signal,
    onFailure: (error) => t.fail(String(error)),
    accounts: async () => accounts,
    found: (found) => writeFound({ log }, found, accounts),
    lookWithoutDeposits: async () => t.fail(),
    // What is pending is credited, as if it had its confirmations.
    async look(_, behind) {
      behindAt.push(behind.has(crowded.walletId))
      t.false(behind.has(other.walletId))
      for (const { walletId, deposits } of [await stateOf(other), await stateOf(crowded)]) {
        const commands = deposits.pending.map(({ depositId }) => ({ type: 'CreditDeposit', depositId, confirmations: 2 }) as const)
        if (commands.length > 0) await command(walletId, commands)
      }
      if (behindAt.length === 1) t.is(await settledOf(other), '2')
      if (!behind.has(crowded.walletId) || behindAt.length > 10) stop.abort()
    },
  })
  t.deepEqual(behindAt, [true, false])
  t.deepEqual(cursors.slice(0, 4), [null, '0', '1', '2'])
  t.is(await settledOf(crowded), String(CROWD + 1))
  t.is(await settledOf(other), '2')
})

/** A chain on which nothing happens but blocks, until it has been asked so often; returns from where it was asked. `onAsked` may change what is stored. */
async function watchIdleChain(t: ExecutionContext, stored: unknown[], times: number, onAsked = (_asked: number) => {}) {
  const cursors: (string | null)[] = []
  const stop = new AbortController()
  await watchChain({
    log: {
      readSnapshot: async () => stored.at(-1),
      async writeSnapshot(_, progress) {
        stored.push(progress)
      },
    },
    node: {
      chain: CHAIN,
      pollMs: 1,
      async deposits(_, cursor) {
        cursors.push(cursor)
        onAsked(cursors.length)
        if (cursors.length === times) stop.abort()
        const height = Number(cursor ?? 0) + 1
        return { found: [], cursor: String(height), height: BigInt(height), isAtHead: true }
      },
    },
    signal: stop.signal,
    onFailure: (error) => t.fail(String(error)),
    accounts: async () => new Map(),
    found: async () => new Set(),
    look: async () => {},
    lookWithoutDeposits: async () => t.fail(),
  })
  return cursors
}

test('blocks in which nothing has come in are not written down one by one, and none is looked through twice', async (t) => {
  const stored: unknown[] = []
  t.deepEqual(await watchIdleChain(t, stored, 30), [null, ...Array.from({ length: 29 }, (_, index) => String(index + 1))])
  t.deepEqual(stored, [{ version: 1, cursor: '1', behind: {} }])
})

test('where another coordinator has stored something else, it goes on from there', async (t) => {
  const stored: unknown[] = []
  const another = { version: 1, cursor: '40', behind: {} }
  const cursors = await watchIdleChain(t, stored, 5, (asked) => {
    if (asked === 3) stored.push(another)
  })
  t.deepEqual(cursors, [null, '1', '2', '40', '41'])
})
