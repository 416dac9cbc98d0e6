import type { ChainNode, Deposit } from '../../../domain/ports/chain-node.ts'
import type { EventLog } from '../../../domain/ports/event-log.ts'
import { type RepeatedWork, repeated } from '../marked-reading.ts'
import type { KnownAccount } from './accounts-on-chains.ts'
import { openProgress, type Progress, type ProgressStore } from './deposits-progress.ts'

type Accounts = ReadonlyMap<string, Pick<KnownAccount, 'address' | 'walletId'>>

export type ChainWatch = RepeatedWork & {
  log: Pick<EventLog, 'readSnapshot' | 'writeSnapshot'>
  node: Pick<ChainNode, 'chain' | 'deposits' | 'pollMs'>
  /** Those on this chain by address, every one that is in the log when this is asked. */
  accounts(): Promise<Accounts>
  /** Writes down what has come in; may be told of the same again. Returns the wallets that have no room for all of theirs, which are told of again. */
  found(deposits: readonly Deposit[]): Promise<ReadonlySet<string>>
  /**
   * Everything that came in up to the newest block is written down, but for wallets that are `behind` because they had no room; `hasMoved` when that is another
   * block than when this was done last. `height` is that of the newest block that was looked through.
   */
  look(hasMoved: boolean, behind: ReadonlySet<string>, height: bigint): Promise<void>
  /** What has come in cannot be told. Something may have happened all the same. */
  lookWithoutDeposits(): Promise<void>
}

/** Looks at a chain again and again: for what has come in, and whether anything has happened at all. */
export async function watchChain(watch: ChainWatch): Promise<void> {
  const place = openProgress(watch.log, watch.node.chain)
  let told: string | null | undefined
  await repeated(watch, watch.node.pollMs, async () => {
    const reached = await catchUp(watch, place).catch(async (error: unknown) => {
      await watch.lookWithoutDeposits()
      throw error
    })
    if (!reached) return
    const { progress, height } = reached
    await watch.look(progress.cursor !== told, new Set(Object.keys(progress.behind)), height)
    told = progress.cursor
  })
}

/** Where the chain's newest block is; undefined when this was aborted before it was reached. */
async function catchUp(watch: ChainWatch, place: ProgressStore): Promise<{ progress: Progress; height: bigint } | undefined> {
  const { node, signal } = watch
  for (const walletId of Object.keys((await place.read()).behind)) await catchUpOf(watch, place, walletId)
  while (!signal.aborted) {
    const before = await place.read()
    const accounts = await watch.accounts()
    const addresses = addressesOf(accounts, ({ walletId }) => before.behind[walletId] === undefined)
    const { found, cursor, height, isAtHead } = await node.deposits(addresses, before.cursor)
    const full = found.length > 0 ? await watch.found(found) : []
    const from = before.cursor
    const nowBehind = from === null ? [] : [...full].map((walletId) => [walletId, from] as const)
    const now = { cursor, behind: { ...before.behind, ...Object.fromEntries(nowBehind) } }
    await place.advance(before, now)
    if (isAtHead) return { progress: now, height }
  }
  return undefined
}

/** A wallet that had no room catches up as far as it has some by now. At the newest block it goes on with the others, who come there after it. */
async function catchUpOf(watch: ChainWatch, place: ProgressStore, behind: string): Promise<void> {
  const { node, signal } = watch
  while (!signal.aborted) {
    const before = await place.read()
    const { [behind]: from, ...others } = before.behind
    if (from === undefined) return
    const addresses = addressesOf(await watch.accounts(), ({ walletId }) => walletId === behind)
    const { found, cursor, isAtHead } = await node.deposits(addresses, from)
    const full = found.length > 0 ? await watch.found(found) : new Set()
    if (full.has(behind)) return
    await place.advance(before, { ...before, behind: isAtHead ? others : { ...others, [behind]: cursor } })
    if (isAtHead) return
  }
}

const addressesOf = (accounts: Accounts, isWanted: (account: Pick<KnownAccount, 'walletId'>) => boolean): ReadonlySet<string> =>
  new Set([...accounts.values()].filter(isWanted).map(({ address }) => address))
