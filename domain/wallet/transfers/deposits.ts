import { DomainError } from '../../domain-error.ts'
import type { DepositCommand } from './commands.ts'
import type { DepositEvent, Funds } from './events.ts'

/** A deposit that is not forgotten yet; `height` and `blockHash` are where it is. */
export type Deposit = Funds & { depositId: string; accountId: string; chain: string; height: string; blockHash: string }

/** In the order in which they came. Thousands may come in at once: an object with as many fields takes far longer to copy than a list. */
export type Deposits = {
  readonly pending: readonly Deposit[]
  /** Those that can still be undone, or be seen again: the newest of all, and all of the newest block. */
  readonly credited: readonly Deposit[]
  /** By chain the height up to which credited ones were forgotten: what is seen there again has been seen before. */
  readonly forgotten: { readonly [chain: string]: string }
}

export const NO_DEPOSITS: Deposits = { pending: [], credited: [], forgotten: {} }

const MAX_PENDING = 2_000
const CREDITED_KEPT = 1_000

/**
 * What is found twice is noted once.
 * @throws DomainError `too_many_deposits` until some are credited, `deposit_unknown`
 */
export function decideDeposit(walletId: string, deposits: Deposits, command: DepositCommand): readonly DepositEvent[] {
  switch (command.type) {
    case 'DetectDeposit':
      return detected(walletId, deposits, command)
    case 'CreditDeposit': {
      const { depositId, confirmations } = command
      if (find(deposits.credited, depositId)) return []
      const { accountId, asset, amount } = known(find(deposits.pending, depositId))
      return [{ type: 'DepositCredited', data: { walletId, accountId, depositId, asset, amount, confirmations } }]
    }
    case 'RevertDeposit':
      return reverted(walletId, deposits, command.depositId)
  }
}

export function evolveDeposits(deposits: Deposits, event: DepositEvent): Deposits {
  const { depositId } = event.data
  const { pending, credited } = deposits
  switch (event.type) {
    case 'DepositDetected': {
      const { accountId, asset, amount, chain, block } = event.data
      const deposit = { depositId, accountId, asset, amount, chain, height: block.height, blockHash: block.hash }
      return { ...deposits, pending: [...without(pending, depositId), deposit] }
    }
    case 'DepositCredited': {
      const deposit = find(pending, depositId)
      if (!deposit) return deposits
      return withoutOldest({ ...deposits, pending: without(pending, depositId), credited: [...without(credited, depositId), deposit] })
    }
    case 'DepositReverted':
      return { ...deposits, pending: without(pending, depositId), credited: without(credited, depositId) }
  }
}

const find = (deposits: readonly Deposit[], depositId: string) => deposits.find((each) => each.depositId === depositId)
const without = (deposits: readonly Deposit[], depositId: string) => deposits.filter((each) => each.depositId !== depositId)

function detected(
  walletId: string,
  deposits: Deposits,
  { type: _, ...found }: Extract<DepositCommand, { type: 'DetectDeposit' }>,
): readonly DepositEvent[] {
  const { depositId, chain, block } = found
  const before = find(deposits.pending, depositId) ?? find(deposits.credited, depositId)
  if (before?.blockHash === block.hash) return []
  const forgotten = deposits.forgotten[chain]
  if (!before && forgotten !== undefined && BigInt(block.height) <= BigInt(forgotten)) return []
  if (deposits.pending.length >= MAX_PENDING)
    throw new DomainError('too_many_deposits', `${MAX_PENDING} deposits wait for their confirmations`)
  return [...reverted(walletId, deposits, depositId), { type: 'DepositDetected', data: { walletId, ...found } }]
}

function reverted(walletId: string, { pending, credited }: Deposits, depositId: string): readonly DepositEvent[] {
  const waiting = find(pending, depositId)
  const deposit = waiting ?? find(credited, depositId)
  if (!deposit) return []
  const { accountId, asset, amount } = deposit
  const was = waiting ? 'pending' : 'credited'
  return [{ type: 'DepositReverted', data: { walletId, accountId, depositId, asset, amount, was } }]
}

function withoutOldest(deposits: Deposits): Deposits {
  const { pending, credited } = deposits
  if (credited.length <= CREDITED_KEPT) return deposits
  const { chain, height } = credited[0]!
  // Of the newest block some may be found only once others are credited, for want of room.
  const isNewer = (deposit: Deposit) => deposit.chain === chain && deposit.height !== height && BigInt(deposit.height) > BigInt(height)
  if (!isNewer(credited.at(-1)!) && !pending.some(isNewer) && !credited.some(isNewer)) return deposits
  return {
    ...deposits,
    credited: credited.filter((deposit) => deposit.chain !== chain || isNewer(deposit)),
    forgotten: { ...deposits.forgotten, [chain]: highest(deposits.forgotten[chain] ?? '0', height) },
  }
}

const highest = (one: string, other: string): string => (BigInt(one) > BigInt(other) ? one : other)

function known(deposit: Deposit | undefined): Deposit {
  if (!deposit) throw new DomainError('deposit_unknown', 'no such deposit waits for its confirmations')
  return deposit
}
