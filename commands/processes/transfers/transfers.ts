import type { Chains } from '../../../domain/ports/chain.ts'
import type { ChainNode, ChainNodes } from '../../../domain/ports/chain-node.ts'
import { SIGNING_SESSION_STREAMS } from '../../../domain/signing-session/events.ts'
import { WALLET_STREAMS } from '../../../domain/wallet/events.ts'
import type { AggregateLog } from '../../load.ts'
import { readMarked, repeated } from '../marked-reading.ts'
import { followAccounts } from './accounts-on-chains.ts'
import { watchChain } from './chain-watch.ts'
import { balanceComparison } from './compare-balances.ts'
import { depositsUnderWay } from './deposits-under-way.ts'
import { type DueLooks, payerTurns } from './take-turn.ts'
import { takeTurns } from './turns.ts'
import { transfersUnderWay } from './under-way.ts'
import { reviewDeposits, writeFound } from './write-deposits.ts'

export type TransfersOptions = {
  log: AggregateLog
  chains: Chains
  nodes: ChainNodes
  signal: AbortSignal
  onFailure(failure: { chain?: string; payer?: string }, error: unknown): void
  /** For how long a transaction may wait to be mined before it is said to be stuck. */
  stuckAfterMs: number
  /** Most deposits watched at once. */
  maxWatched?: number
  markEveryMs?: number
}

const MARK = 'transfers-under-way'
const MAX_WATCHED = 100_000
const PAYERS_AT_ONCE = 16
const LOOK_EVERY_MS = 500

/**
 * Carries out transfers, and notices deposits. It follows the log to know whose turn it is, and each chain that has nodes; what is done is decided on the wallets as they are. Every
 * coordinator does this for all of them: of two that take the same step one is told that the other was first.
 */
export async function runTransfers(options: TransfersOptions): Promise<void> {
  const { log, nodes, signal, onFailure, maxWatched = MAX_WATCHED } = options
  const underWay = transfersUnderWay()
  const deposits = depositsUnderWay()
  /** Payers of whom the chain is to be asked; of those whose transactions were just sent, too, as it may not move again. */
  const due = new Set<string>()
  const later = new Map<string, number>()
  const looks: DueLooks = {
    add: (payer) => void due.add(payer),
    addAt: (payer, time) => void later.set(payer, time),
    take: (payer) => due.delete(payer),
  }
  const turns = takeTurns({
    concurrency: PAYERS_AT_ONCE,
    work: payerTurns({ ...options, underWay, looks }),
    onFailure: (payer, error) => onFailure({ payer }, error),
  })
  const wakeAll = (payers: Iterable<string>) => {
    for (const payer of payers) turns.wake(payer)
  }
  const lookAt = (payers: readonly string[]) => {
    for (const payer of payers) due.add(payer)
    wakeAll(payers)
  }
  let isCaughtUp = false
  const reading = readMarked({
    ...options,
    prefixes: [WALLET_STREAMS, SIGNING_SESSION_STREAMS],
    mark: MARK,
    onFailure: (error) => onFailure({}, error),
    note(event, after) {
      underWay.note(event, after)
      deposits.note(event, after)
      if (isCaughtUp) wakeAll(underWay.touched(event))
    },
    caughtUp() {
      isCaughtUp = true
      for (const chain of nodes.keys()) lookAt(underWay.payersOn(chain))
    },
    oldest: () => earliest([underWay.oldest(), deposits.oldest()]),
    // Deposits become final also while nothing is read; transfers do not, and are bounded by what each wallet may have under way.
    isFull: () => deposits.size >= maxWatched,
  })
  const clock = repeated({ signal, onFailure: (error) => onFailure({}, error) }, LOOK_EVERY_MS, async () => {
    const now = Date.now()
    if (isCaughtUp) wakeAll(underWay.due(now))
    for (const [payer, time] of later) {
      if (time > now) continue
      later.delete(payer)
      lookAt([payer])
    }
  })
  const accounts = followAccounts({ log, signal, onFailure: (error) => onFailure({}, error) })

  const watch = (node: ChainNode): Promise<void> => {
    const { chain: id } = node
    const chain = options.chains.get(id)
    const compare = chain && balanceComparison({ log, chain, node })
    const addressOf = (accountId: string) => accounts.account(accountId)?.address
    let reviewed = 0
    return watchChain({
      log,
      node,
      signal,
      onFailure: (error) => onFailure({ chain: id }, error),
      accounts: () => accounts.on(id),
      found: async (found) => writeFound({ log }, found, await accounts.on(id)),
      async look(hasMoved, behind, height) {
        if (!isCaughtUp) return
        const payers = underWay.payersOn(id)
        lookAt(hasMoved ? payers : payers.filter((payer) => due.has(payer)))
        const { found } = deposits
        if (hasMoved || found !== reviewed) await reviewDeposits({ log, node, deposits, addressOf })
        reviewed = found
        // What is not written down yet is no surplus.
        const upToDate = new Map([...(await accounts.on(id))].filter(([, { walletId }]) => !behind.has(walletId)))
        await compare?.(upToDate, hasMoved, height)
      },
      async lookWithoutDeposits() {
        lookAt(underWay.payersOn(id))
        if (isCaughtUp) await reviewDeposits({ log, node, deposits, addressOf })
      },
    })
  }
  await Promise.all([reading, clock, accounts.done, ...[...nodes.values()].map(watch)])
  await turns.close()
}

/** Of what has begun, what has begun first. */
function earliest(open: readonly ({ after: bigint | undefined } | undefined)[]): { after: bigint | undefined } | undefined {
  const begun = open.filter((each) => each !== undefined)
  return begun.reduce((one, other) => ((other.after ?? -1n) < (one.after ?? -1n) ? other : one), begun[0]!)
}
