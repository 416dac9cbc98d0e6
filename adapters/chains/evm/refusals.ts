import { ChainFailure, type ChainFailureCode } from '../../../domain/ports/chain-node.ts'
import type { RpcRefusal } from '../rpc/failures.ts'

/**
 * What nodes say of transactions and calls, which no standard settles: the words of geth (and of those made from it: bor, nitro), erigon, nethermind,
 * besu, reth and anvil. The first that fits counts.
 */
const WORDINGS: readonly (readonly [RegExp, ChainFailureCode])[] = [
  [/already ?known|known transaction|already[ _]exists|already imported|already in (the )?pool|duplicate transaction/i, 'already_known'],
  [/nonce[ _](is )?too[ _]low|old ?nonce|nonce.*already.*used/i, 'nonce_too_low'],
  [/insufficient[ _]?(funds|balance)|exceeds (account )?balance|not enough (funds|balance)|doesn't have enough/i, 'insufficient_funds'],
  [/exceeds the configured cap|fee cap exceeded|tx fee .* exceeds/i, 'fee_too_high'],
  [
    /underpriced|(fee|price|tip)[ _]?(is )?too[ _]?low|below (the )?(configured )?minimum|less than (the )?(block )?base fee/i,
    'fee_too_low',
  ],
  [/replacement ?(transaction|not ?allowed)|could not replace|replace existing/i, 'fee_too_low'],
  [/revert/i, 'reverted'],
]

/** Execution reverted, with what the contract says as data. */
const REVERTED = 3
const METHOD_NOT_FOUND = -32601
const INTERNAL_ERROR = -32603

/** Another node may have what this one has not, or not yet, or may have room for it. */
const UNABLE = [
  /header not found|unknown block|block not found|missing trie node|out ?of ?range|(state|history|block).*(not available|pruned|unavailable)/i,
  /pool.*(full|overflow|limit)|queue.*full|server (is )?(busy|overloaded)|timed? ?out/i,
]

const codeOf = ({ code, message }: RpcRefusal): ChainFailureCode | undefined =>
  code === REVERTED ? 'reverted' : WORDINGS.find(([words]) => words.test(message))?.[1]

export function isUnable(refusal: RpcRefusal): boolean {
  if (codeOf(refusal) !== undefined) return false
  return [METHOD_NOT_FOUND, INTERNAL_ERROR].includes(refusal.code) || UNABLE.some((words) => words.test(refusal.message))
}

/** The same in the words of this side. What has used a nonce may have been the very transaction that is refused for it. */
export function failureOf(refusal: RpcRefusal): ChainFailure {
  const code = codeOf(refusal) ?? 'transaction_rejected'
  return new ChainFailure(code, `the node says: ${refusal.message}`, !refusal.mayBeDone && code !== 'nonce_too_low')
}
