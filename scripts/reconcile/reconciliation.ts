import { sumOf } from '../../domain/account/summed-amounts.ts'
import type { Chains } from '../../domain/ports/chain.ts'
import { ChainFailure, type ChainNodes } from '../../domain/ports/chain-node.ts'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import { collectionOf, type ProjectionStore } from '../../domain/ports/projections.ts'

/** An account's balance of an asset, by the read model and by the chain. Amounts are decimal strings of base units. */
export type Line = {
  accountId: string
  walletId: string
  chain: string
  address: string
  asset: string
  /** What is settled and what is pending. */
  known: string
  /** Null when the chain could not be asked. */
  onChain: string | null
  /** At which height. */
  height: string | null
  /**
   * `under_way`: they differ, and a transfer or deposit is not final, so that they may. `unknown`: the chain does not answer. Only `different` is wrong.
   */
  verdict: 'equal' | 'different' | 'under_way' | 'unknown'
}

const PAGE = 200
/** Questions to chains at the same time. */
const AT_ONCE = 4

type Known = { settled: bigint; reserved: bigint; pending: bigint }
const NOTHING: Known = { settled: 0n, reserved: 0n, pending: 0n }

/** Every account on a chain that has endpoints: what the read models say it has, beside what the chain says, at its newest block. */
export async function* reconcile({
  documents,
  store,
  chains,
  nodes,
}: {
  documents: Pick<Documents, 'find'>
  store: Pick<ProjectionStore, 'builds'>
  chains: Chains
  nodes: ChainNodes
}): AsyncGenerator<Line> {
  const balances = new Map<string, Map<string, Known>>()
  for await (const { accountId, asset, settled, reserved, pending } of everyDocument(documents, store, 'balances')) {
    const assets = balances.get(String(accountId)) ?? new Map<string, Known>()
    balances.set(String(accountId), assets.set(String(asset), { settled: sum(settled), reserved: sum(reserved), pending: sum(pending) }))
  }
  let batch: Promise<Line>[] = []
  for await (const account of everyDocument(documents, store, 'accounts')) {
    const chain = chains.get(String(account.chain))
    const node = nodes.get(String(account.chain))
    if (!chain || !node) continue
    const known = balances.get(account._id) ?? new Map<string, Known>()
    for (const asset of new Set([chain.nativeAsset, ...known.keys()])) {
      batch.push(lineOf(account, asset, known.get(asset) ?? NOTHING, () => node.balance(String(account.address), asset)))
      if (batch.length < AT_ONCE) continue
      yield* await Promise.all(batch)
      batch = []
    }
  }
  yield* await Promise.all(batch)
}

async function lineOf(
  { _id, walletId, chain, address }: Document,
  asset: string,
  { settled, reserved, pending }: Known,
  ask: () => Promise<{ amount: bigint; block: { height: bigint } }>,
): Promise<Line> {
  const known = settled + pending
  const line = { accountId: _id, walletId: String(walletId), chain: String(chain), address: String(address), asset, known: String(known) }
  try {
    const { amount, block } = await ask()
    const isUnderWay = reserved !== 0n || pending !== 0n
    const verdict = amount === known ? 'equal' : isUnderWay ? 'under_way' : 'different'
    return { ...line, onChain: String(amount), height: String(block.height), verdict }
  } catch (error) {
    if (!(error instanceof ChainFailure)) throw error
    return { ...line, onChain: null, height: null, verdict: 'unknown' }
  }
}

/** @throws Error while the read model is being built for the first time */
async function* everyDocument(
  documents: Pick<Documents, 'find'>,
  store: Pick<ProjectionStore, 'builds'>,
  model: 'accounts' | 'balances',
): AsyncGenerator<Document> {
  const { active } = await store.builds(model)
  if (!active) throw new Error(`the read model ${model} is being built`)
  let beyond: string | undefined
  for (;;) {
    const page = await documents.find(collectionOf(active, model), { where: {}, by: '_id', direction: 'asc', beyond, limit: PAGE })
    yield* page
    beyond = page.at(-1)?._id
    if (page.length < PAGE) return
  }
}

const sum = (groups: unknown): bigint => sumOf(groups as { readonly [index: string]: number } | undefined)
