import type { MovedAmounts, SentTransaction } from '../../../domain/ports/chain-node.ts'
import type { Receipt } from './answers.ts'
import { readTransferCall, readTransferLog } from './erc20.ts'
import { callIn } from './transaction-fields.ts'

/**
 * What a transfer of a token has moved, by the logs of its receipt: some tokens say no without reverting, others keep a part of what they transfer, or charge it on
 * top.
 * @returns null where the transaction is no transfer of a token
 */
export function movedTokens({ raw, sender }: SentTransaction, { logs }: Receipt): MovedAmounts | null {
  const { to: token, data } = callIn(raw)
  const call = readTransferCall(data)
  if (!call) return null
  const sent = logs
    .filter(({ address }) => address === token.toLowerCase())
    .flatMap((log) => readTransferLog(log) ?? [])
    .filter(({ from }) => from === sender.address)
  return { left: sum(sent), received: sum(sent.filter(({ to }) => to === call.to)) }
}

const sum = (transfers: readonly { amount: bigint }[]): bigint => transfers.reduce((total, { amount }) => total + amount, 0n)
