import test from 'ava'
import { RpcRefusal } from '../rpc/failures.ts'
import { failureOf, isUnable } from './refusals.ts'

for (const [node, code, message, told] of [
  ['geth', -32000, 'already known', 'already_known'],
  ['geth', -32000, 'nonce too low: next nonce 5, tx nonce 3', 'nonce_too_low'],
  ['geth', -32000, 'insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000', 'insufficient_funds'],
  ['geth', -32000, 'replacement transaction underpriced', 'fee_too_low'],
  ['geth', -32000, 'transaction underpriced: tip needed 1000000, tip permitted 1', 'fee_too_low'],
  ['geth', -32000, 'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7', 'fee_too_low'],
  ['geth', -32000, 'tx fee (2.10 ether) exceeds the configured cap (1.00 ether)', 'fee_too_high'],
  ['geth', -32000, 'exceeds block gas limit', 'transaction_rejected'],
  ['geth', -32000, 'intrinsic gas too low: gas 20000, minimum needed 21000', 'transaction_rejected'],
  ['geth', 3, 'execution reverted: transfer amount exceeds balance', 'reverted'],
  ['erigon', -32000, 'ALREADY_EXISTS: already known', 'already_known'],
  ['erigon', -32000, 'NONCE_TOO_LOW: nonce too low', 'nonce_too_low'],
  ['erigon', -32000, 'INSUFFICIENT_FUNDS: insufficient funds', 'insufficient_funds'],
  ['erigon', -32000, 'UNDERPRICED: underpriced', 'fee_too_low'],
  ['erigon', -32000, 'could not replace existing tx', 'fee_too_low'],
  ['nethermind', -32010, 'AlreadyKnown', 'already_known'],
  ['nethermind', -32010, 'OldNonce, Current nonce: 5, nonce of rejected tx: 3', 'nonce_too_low'],
  ['nethermind', -32010, 'InsufficientFunds, Account balance: 0, cumulative cost: 21000', 'insufficient_funds'],
  ['nethermind', -32010, 'FeeTooLowToCompete', 'fee_too_low'],
  ['nethermind', -32010, 'ReplacementNotAllowed', 'fee_too_low'],
  ['besu', -32000, 'Known transaction', 'already_known'],
  ['besu', -32001, 'Nonce too low', 'nonce_too_low'],
  ['besu', -32004, 'Upfront cost exceeds account balance', 'insufficient_funds'],
  ['besu', -32009, 'Gas price below configured minimum gas price', 'fee_too_low'],
  ['besu', -32000, 'Transaction fee cap exceeded', 'fee_too_high'],
  ['reth', -32003, 'already known', 'already_known'],
  ['anvil', -32003, 'transaction already imported', 'already_known'],
  ['anvil', -32003, 'Insufficient funds for gas * price + value', 'insufficient_funds'],
  ['anvil', -32003, 'max fee per gas less than block base fee', 'fee_too_low'],
  ['anvil', -32603, 'nonce too low', 'nonce_too_low'],
  ['anyone', -32000, 'invalid sender', 'transaction_rejected'],
] as const) {
  test(`when ${node} says "${message}" it is ${told}`, (t) => {
    const refusal = new RpcRefusal(code, message, undefined)
    t.false(isUnable(refusal))
    t.like(failureOf(refusal), { code: told, isRefusal: told !== 'nonce_too_low' })
    t.false(failureOf(new RpcRefusal(code, message, undefined, true)).isRefusal)
  })
}

for (const [code, message] of [
  [-32000, 'header not found'],
  [-32000, 'unknown block'],
  [-32000, 'missing trie node 1234 (path ) state 0x12 is not available'],
  [-32000, 'txpool is full'],
  [-32000, 'transaction pool is full'],
  [-32601, 'the method eth_feeHistory does not exist/is not available'],
  [-32602, 'BlockOutOfRangeError: block height is 0 but requested was 80'],
  [-32603, 'Internal error'],
] as const) {
  test(`"${message}" is asked of another node`, (t) => {
    t.true(isUnable(new RpcRefusal(code, message, undefined)))
  })
}
