import type { Chain } from '../../../domain/ports/chain.ts'
import type { ChainNode, WantedTransaction } from '../../../domain/ports/chain-node.ts'
import type { Sender, TransactionCodec } from '../../../domain/ports/transaction-codec.ts'
import type { Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import type { AggregateLog } from '../../load.ts'
import type { UnderWay } from './under-way.ts'
import type { WalletBook } from './wallet-book.ts'

/** What one turn of a payer is made with. */
export type PayerTurn = {
  log: AggregateLog
  book: WalletBook
  underWay: UnderWay
  chain: Chain
  node: ChainNode
  codec: TransactionCodec
  memory: PayerMemory
}

/** What is known of a payer beside the log; forgetting it costs time, and nothing else. By transfer and version. */
export type PayerMemory = {
  /** Which attempt at the signatures is under way. */
  attempts: Map<string, number>
  /** Since when it could have been mined, in milliseconds since the epoch. */
  sentAt: Map<string, number>
}

export const versionKey = (transferId: string, version: number): string => `${transferId}/${version}`

export const transferIn = (key: string): string => key.split('/')[0]!

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

export const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))

export const senderOf = ({ scheme, publicKey, address }: Transfer): Sender => ({ scheme, publicKey: fromHex(publicKey), address })

/** What a transfer wants of its chain; a replacement is at another fee, and within the most that the transfer may cost unless it says otherwise. */
export const wantedOf = (transfer: Transfer): WantedTransaction => {
  const { asset, to, amount, replacement } = transfer
  const maxFee = replacement?.maxFee ?? transfer.maxFee
  return {
    sender: senderOf(transfer),
    asset,
    to,
    amount: BigInt(amount),
    fee: replacement?.fee ?? transfer.fee,
    maxFee: maxFee === null ? null : BigInt(maxFee),
    memo: transfer.publicMemo ?? null,
  }
}
