import { ChainFailure, type ChainFailureCode } from '../../../domain/ports/chain-node.ts'
import type { RpcRefusal } from '../rpc/failures.ts'

/** Words of Bitcoin Core's `sendrawtransaction`, which are those of its mempool (`src/validation.cpp`, `src/policy`), and what they mean. */
const MEANINGS: readonly (readonly [RegExp, ChainFailureCode])[] = [
  [/txn-already-in-mempool|txn-already-known|already in (the )?(block ?chain|utxo set)|txn-same-nonwitness-data/i, 'already_known'],
  [/insufficient fee|insufficient priority|min relay fee not met|mempool min fee not met|mempool full/i, 'fee_too_low'],
  [/max-fee-exceeded|fee exceeds maximum|absurdly-high-fee/i, 'fee_too_high'],
  [/txn-mempool-conflict|too many potential replacements|replacement-adds-unconfirmed|bad-txns-spends-conflicting-tx/i, 'not_replaceable'],
  [/missing-?or-?spent|missing inputs/i, 'inputs_missing'],
  [/\bdust\b/i, 'dust'],
]

/** What the node has against a transaction. */
export function failureOf({ message, mayBeDone }: RpcRefusal): ChainFailure {
  const [, code] = MEANINGS.find(([words]) => words.test(message)) ?? [undefined, 'transaction_rejected' as const]
  return new ChainFailure(code, `the node does not take the transaction: ${message}`, !mayBeDone)
}
