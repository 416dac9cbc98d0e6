import type { Chain } from '../../../domain/ports/chain.ts'
import type { BlockReference, ChainNode } from '../../../domain/ports/chain-node.ts'
import { walletStream } from '../../../domain/wallet/events.ts'
import type { DepositCommand } from '../../../domain/wallet/transfers/commands.ts'
import { positionOf } from '../../../domain/wallet/transfers/funds.ts'
import { type ExistingWallet, requireWallet, type Wallet, wallet } from '../../../domain/wallet/wallet.ts'
import { execute } from '../../execute.ts'
import { type AggregateLog, load } from '../../load.ts'
import { inSequence } from '../in-sequence.ts'
import { inAnswerTo } from '../process.ts'
import type { KnownAccount } from './accounts-on-chains.ts'

const NAME = 'deposits'
/** Accounts asked about for one block, in turn. */
const AT_ONCE = 16

/** More on the chain than is known of: how much there was in this block, and how much was known. */
type Surplus = { amount: bigint; known: string; block: BlockReference }

export type BalanceComparison = {
  log: AggregateLog
  chain: Chain
  node: Pick<ChainNode, 'balance' | 'depth' | 'confirmations'>
}

/**
 * Compares what some accounts have on the chain with what is known of it. What was there before an account was opened, and what comes in without a transaction that
 * says so, such as out of a contract, is a deposit once the block in which it was seen has its confirmations, with nothing of the account under way. Called when
 * everything that has come in otherwise is written down up to the block of that height: what comes after may be in the balance already.
 */
export function balanceComparison({ log, chain, node }: BalanceComparison) {
  const surpluses = new Map<string, Surplus>()
  let next = 0

  return async (accounts: ReadonlyMap<string, KnownAccount>, hasMoved: boolean, height: bigint): Promise<void> => {
    const all = [...accounts.values()]
    const some = hasMoved ? Array.from({ length: Math.min(AT_ONCE, all.length) }, (_, i) => all[(next + i) % all.length]!) : []
    next = all.length === 0 ? 0 : (next + some.length) % all.length
    const suspected = all.filter(({ accountId }) => [...surpluses.keys()].some((key) => key.startsWith(`${accountId} `)))
    for (const account of new Set([...suspected, ...some])) await compare(account, height)
  }

  async function compare(account: KnownAccount, writtenUpTo: bigint): Promise<void> {
    const { accountId, walletId, address } = account
    const owner = await walletOf(log, walletId)
    if (!owner) return
    for (const asset of new Set([chain.nativeAsset, ...Object.keys(owner.funds[accountId] ?? {})])) {
      const key = `${accountId} ${asset}`
      const known = settledOf(owner, accountId, asset)
      const before = surpluses.get(key)
      surpluses.delete(key)
      if (known === undefined) continue
      const { amount, block } = await node.balance(address, asset)
      const surplus = amount - BigInt(known)
      if (surplus <= 0n) continue
      const confirmations = before?.known === known && before.amount === amount ? await node.depth(before.block) : null
      if (!before || confirmations === null) surpluses.set(key, { amount, known, block })
      else if (confirmations < node.confirmations || before.block.height > writtenUpTo) surpluses.set(key, before)
      else await credit(account, asset, { surplus, known, confirmations, block: before.block })
    }
  }

  async function credit(
    { accountId, walletId, address, opened }: KnownAccount,
    asset: string,
    { surplus, known, confirmations, block: at }: { surplus: bigint; known: string; confirmations: number; block: BlockReference },
  ): Promise<void> {
    const block = { height: String(at.height), hash: at.hash }
    const depositId = `balance:${address}:${asset}:${block.height}`
    const amount = String(surplus)
    const detect = { accountId, depositId, chain: chain.id, hash: null, from: null, asset, amount, block, source: 'balance' } as const
    const commands: readonly DepositCommand[] = [
      { type: 'DetectDeposit', ...detect },
      { type: 'CreditDeposit', depositId, confirmations },
    ]
    const decider = inSequence(wallet)
    /** Unless something has happened since, such as that another coordinator has credited it. */
    const unlessKnown: typeof decider = {
      ...decider,
      decide: (state, decided) => (settledOf(requireWallet(state), accountId, asset) === known ? decider.decide(state, decided) : []),
    }
    await execute(log, { decider: unlessKnown, stream: walletStream(walletId) }, () => commands, inAnswerTo(opened, NAME))
  }
}

/** What is known to be there; undefined while something is under way. */
function settledOf({ transfers, funds }: ExistingWallet, accountId: string, asset: string): string | undefined {
  const { settled, reserved, pending } = positionOf(funds, accountId, asset)
  const isBusy = reserved !== '0' || pending !== '0' || Object.values(transfers).some((transfer) => transfer.accountId === accountId)
  return isBusy ? undefined : settled
}

async function walletOf(log: AggregateLog, walletId: string): Promise<ExistingWallet | undefined> {
  const { state }: { state: Wallet } = await load(log, { decider: wallet, stream: walletStream(walletId) })
  return state.status === 'absent' ? undefined : state
}
