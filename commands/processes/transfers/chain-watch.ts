import type { ChainNode, Deposit } from '../../../domain/ports/chain-node.ts'
import type { EventLog } from '../../../domain/ports/event-log.ts'
import { type RepeatedWork, repeated } from '../marked-reading.ts'

export type ChainWatch = RepeatedWork & {
  log: Pick<EventLog, 'readSnapshot' | 'writeSnapshot'>
  node: ChainNode
  /** Those on this chain, every one that is in the log when this is asked. */
  addresses(): Promise<ReadonlySet<string>>
  /** Writes down what has come in; may be told of the same again. */
  found(deposits: readonly Deposit[]): Promise<void>
  /** Everything that came in up to the newest block is written down; `hasMoved` when that is another one than when this was done last. */
  look(hasMoved: boolean): Promise<void>
  /** What has come in cannot be told. Something may have happened all the same. */
  lookWithoutDeposits(): Promise<void>
}

const CURSOR_VERSION = 1

/** Of how far deposits have been looked for, in the store's place for snapshots: all coordinators go on from the same place. */
const cursorName = (chain: string) => `deposits-${chain}`

/** Looks at a chain again and again: for what has come in, and whether anything has happened at all. */
export async function watchChain(watch: ChainWatch): Promise<void> {
  let told: string | undefined
  await repeated(watch, watch.node.pollMs, async () => {
    const cursor = await catchUp(watch).catch(async (error: unknown) => {
      await watch.lookWithoutDeposits()
      throw error
    })
    if (cursor === undefined) return
    await watch.look(cursor !== told)
    told = cursor
  })
}

/** Where the chain's newest block is; undefined when this was aborted before it was reached. */
async function catchUp({ log, node, addresses, found: writeDown, signal }: ChainWatch): Promise<string | undefined> {
  const name = cursorName(node.chain)
  while (!signal.aborted) {
    const before = storedCursor(await log.readSnapshot(name))
    const { found, cursor, isAtHead } = await node.deposits(await addresses(), before)
    if (found.length > 0) await writeDown(found)
    // What another coordinator has written meanwhile may be further on.
    if (cursor !== before && storedCursor(await log.readSnapshot(name)) === before)
      await log.writeSnapshot(name, { version: CURSOR_VERSION, cursor })
    if (isAtHead) return cursor
  }
  return undefined
}

/** Null when there is none, or none that this version understands: it begins at the newest block. */
function storedCursor(stored: unknown): string | null {
  const { version, cursor } = (stored ?? {}) as { version?: unknown; cursor?: unknown }
  return version === CURSOR_VERSION && typeof cursor === 'string' ? cursor : null
}
