import { DomainError } from '../../../domain/domain-error.ts'
import type { BlockReference, ChainNode, Deposit } from '../../../domain/ports/chain-node.ts'
import type { RecordedEvent } from '../../../domain/ports/event-log.ts'
import { type WalletEvent, walletStream } from '../../../domain/wallet/events.ts'
import type { DepositCommand } from '../../../domain/wallet/transfers/commands.ts'
import { wallet } from '../../../domain/wallet/wallet.ts'
import { execute } from '../../execute.ts'
import type { AggregateLog } from '../../load.ts'
import { inSequence } from '../in-sequence.ts'
import { inAnswerTo } from '../process.ts'
import type { KnownAccount } from './accounts-on-chains.ts'
import type { DepositsUnderWay, UncertainDeposit } from './deposits-under-way.ts'
import { grouped } from './grouped.ts'

const NAME = 'deposits'

/** What deposits are written down with. */
export type DepositWriting = { log: AggregateLog }

/**
 * What has come in for these accounts; what is known of is written down once, or anew when it is in another block now.
 * @returns the wallets that had no room for all of theirs, where none in a newer block than one that is missing was written down
 */
export async function writeFound(
  { log }: DepositWriting,
  found: readonly Deposit[],
  accounts: ReadonlyMap<string, KnownAccount>,
): Promise<ReadonlySet<string>> {
  const full = new Set<string>()
  const known = found.flatMap((deposit) => {
    const account = accounts.get(deposit.to)
    return account ? [{ deposit, account }] : []
  })
  for (const [walletId, deposits] of grouped(known, ({ account }) => account.walletId)) {
    const inOrder = deposits.toSorted((one, other) => Number(one.deposit.block.height - other.deposit.block.height))
    const commands = inOrder.map(({ deposit, account }) => detection(deposit, account))
    if (!(await noteWhatFits(log, walletId, commands, deposits[0]!.account.opened))) full.add(walletId)
  }
  return full
}

/** Whether there was room for all of them. */
async function noteWhatFits(
  log: AggregateLog,
  walletId: string,
  commands: readonly DepositCommand[],
  cause: RecordedEvent,
): Promise<boolean> {
  let haveAllFitted = true
  const decider = inSequence(wallet)
  const asFarAsTheyFit: typeof decider = {
    ...decider,
    decide(state, wanted) {
      const events: WalletEvent[] = []
      let current = state
      haveAllFitted = true
      for (const command of wanted) {
        try {
          const decided = wallet.decide(current, command)
          events.push(...decided)
          current = decided.reduce(wallet.evolve, current)
        } catch (error) {
          if (!(error instanceof DomainError && error.code === 'too_many_deposits')) throw error
          haveAllFitted = false
          break
        }
      }
      return events
    },
  }
  await execute(log, { decider: asFarAsTheyFit, stream: walletStream(walletId) }, () => commands, inAnswerTo(cause, NAME))
  return haveAllFitted
}

export const detection = (
  { id, hash, asset, amount, from, block }: Omit<Deposit, 'to'>,
  { accountId, chain }: Pick<KnownAccount, 'accountId' | 'chain'>,
): DepositCommand => ({
  type: 'DetectDeposit',
  accountId,
  depositId: id,
  chain,
  hash,
  from,
  asset,
  amount: String(amount),
  block: { height: String(block.height), hash: block.hash },
  source: 'transaction',
})

export type Standing = DepositWriting & {
  node: Pick<ChainNode, 'chain' | 'standing' | 'depth' | 'confirmations' | 'finality'>
  deposits: DepositsUnderWay
  addressOf(accountId: string): string | undefined
}

/**
 * Asks of every deposit that is not final whether it is still in the chain, and writes down what has become of it. Those of one block stand and fall with it: one
 * of them is asked about for all as long as it stands.
 */
export async function reviewDeposits(standing: Standing): Promise<void> {
  const { node, deposits } = standing
  for (const [, together] of deposits.inBlocks(node.chain)) {
    const [first, ...others] = together as readonly [UncertainDeposit, ...UncertainDeposit[]]
    const confirmations = await review(standing, first)
    if (confirmations === undefined) for (const each of others) await review(standing, each)
    else for (const each of others) await settle(standing, each, confirmations)
  }
}

/** How many confirmations it has in the block in which it was found; undefined when it is not there any more. */
async function review(standing: Standing, uncertain: UncertainDeposit): Promise<number | undefined> {
  const { log, node, addressOf } = standing
  const { walletId, accountId, deposit, detected } = uncertain
  const to = addressOf(accountId)
  if (to === undefined) return undefined
  const { hash, ...seen } = deposit
  const now = hash === null ? await standingOfBlock(node, deposit.block) : await node.standing({ ...seen, hash, to })
  if (now?.block.hash === deposit.block.hash) {
    await settle(standing, uncertain, now.confirmations)
    return now.confirmations
  }
  const command: DepositCommand =
    now && hash !== null
      ? detection({ ...seen, hash, block: now.block }, { accountId, chain: node.chain })
      : { type: 'RevertDeposit', depositId: deposit.id }
  await carryOut(log, walletId, [command], detected)
  return undefined
}

/** What was only seen in a balance stands and falls with the block in which it was seen; where it is still there afterwards, it is seen anew. */
async function standingOfBlock(node: Pick<ChainNode, 'depth'>, block: BlockReference) {
  const confirmations = await node.depth(block)
  return confirmations === null ? null : { block, confirmations }
}

async function settle({ log, node, deposits }: Standing, uncertain: UncertainDeposit, confirmations: number): Promise<void> {
  const { walletId, deposit, isCredited, detected } = uncertain
  if (!isCredited && confirmations >= node.confirmations)
    await carryOut(log, walletId, [{ type: 'CreditDeposit', depositId: deposit.id, confirmations }], detected)
  if (confirmations >= Math.max(node.finality, node.confirmations)) deposits.forget(uncertain)
}

async function carryOut(log: AggregateLog, walletId: string, commands: readonly DepositCommand[], cause: RecordedEvent): Promise<void> {
  try {
    await execute(log, { decider: inSequence(wallet), stream: walletStream(walletId) }, () => commands, inAnswerTo(cause, NAME))
  } catch (error) {
    // Another coordinator was first.
    if (!(error instanceof DomainError && error.code === 'deposit_unknown')) throw error
  }
}
