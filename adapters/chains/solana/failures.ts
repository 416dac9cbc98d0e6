import { ChainFailure, type ChainFailureCode } from '../../../domain/ports/chain-node.ts'
import type { RpcRefusal } from '../rpc/failures.ts'

/** What the run of a transaction before it is sent may end in, by the name of `TransactionError` in Solana's SDK. */
const TRANSACTION_ERRORS: { readonly [name: string]: ChainFailureCode } = {
  AlreadyProcessed: 'already_known',
  AccountNotFound: 'insufficient_funds',
  InsufficientFundsForFee: 'insufficient_funds',
  InsufficientFundsForRent: 'insufficient_funds',
  BlockhashNotFound: 'transaction_expired',
  InvalidAccountForFee: 'account_closed',
}

/** Of an instruction, by the name of `InstructionError`. */
const INSTRUCTION_ERRORS: { readonly [name: string]: ChainFailureCode } = {
  InsufficientFunds: 'insufficient_funds',
  AccountNotRentExempt: 'dust',
  UninitializedAccount: 'account_closed',
  InvalidAccountOwner: 'account_closed',
}

/** Of the programs that hold funds, by their own numbers: both say with 1 that there are not enough. */
const TOO_FEW = 1

/** What a node's refusal to take a transaction means. It has been run by the node, and not been sent. */
export function failureOf({ code, message, data, mayBeDone }: RpcRefusal): ChainFailure {
  const { err } = (typeof data === 'object' && data !== null ? data : {}) as { err?: unknown }
  return new ChainFailure(meaningOf(err), `the cluster does not take the transaction (${code}): ${message}`, !mayBeDone)
}

function meaningOf(error: unknown): ChainFailureCode {
  const [name, detail] = named(error)
  if (name !== 'InstructionError') return TRANSACTION_ERRORS[name] ?? 'transaction_rejected'
  const [instruction, number] = named(Array.isArray(detail) ? detail[1] : undefined)
  if (instruction === 'Custom') return number === TOO_FEW ? 'insufficient_funds' : 'reverted'
  return INSTRUCTION_ERRORS[instruction] ?? 'reverted'
}

/** Errors are names, or objects with one name and what it holds. */
function named(error: unknown): readonly [name: string, detail: unknown] {
  if (typeof error === 'string') return [error, undefined]
  const [entry] = Object.entries(typeof error === 'object' && error !== null ? error : {})
  return entry ?? ['', undefined]
}
