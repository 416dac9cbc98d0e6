import type { Sender } from './transaction-codec.ts'

export const FEE_LEVELS = ['low', 'normal', 'high'] as const
export type FeeLevel = (typeof FEE_LEVELS)[number]

/** A transfer, as far as a chain is concerned. Amounts are in base units. */
export type WantedTransaction = {
  readonly sender: Sender
  /** CAIP-19. */
  readonly asset: string
  readonly to: string
  readonly amount: bigint
  readonly fee: FeeLevel
  /** The most that it may cost, in the native coin; the chain's own ceiling when null. */
  readonly maxFee: bigint | null
  readonly memo: string | null
  /** The transaction itself, unsigned, where another wallet has made it: it does what is wanted, and nothing about it is to be chosen. */
  readonly made?: Uint8Array | null
}

/** What is set aside for a transfer before it is built. */
export type Quote = {
  /** The most that it can cost at this level, in the native coin. */
  readonly fee: bigint
}

export type BuildOptions = {
  /** That of the account which is this transaction's own, on chains that count them; null elsewhere. */
  readonly nonce: bigint | null
  /** What other transactions of the account use up: not to be used here. */
  readonly taken: readonly string[]
  /**
   * The transaction, unsigned, whose place this one takes: it shares a conflict with it, and pays enough more to be preferred. `cancel` moves nothing, and only
   * uses up what the other one would have. `validity` is that of the other one.
   */
  readonly replaces: {
    readonly unsigned: Uint8Array
    readonly as: 'acceleration' | 'cancellation'
    readonly validity?: string | null
  } | null
}

export type UnsignedTransaction = {
  readonly unsigned: Uint8Array
  /** What only the node adapter understands, such as the last block it can be mined in; kept with the transaction and handed back with it. */
  readonly validity: string | null
}

/** A transaction that may have been sent. */
export type SentTransaction = {
  readonly hash: string
  readonly raw: Uint8Array
  readonly sender: Sender
  readonly conflicts: readonly string[]
  readonly validity: string | null
}

export type BlockReference = { readonly height: bigint; readonly hash: string }

/** In base units of the asset: what has left the account, and what of it has come to the destination. */
export type MovedAmounts = { readonly left: bigint; readonly received: bigint }

export type TransactionStatus =
  /** No endpoint knows it. It may still be mined, if it was ever sent. */
  | { readonly state: 'unknown' }
  | { readonly state: 'pending' }
  /** `confirmations` counts the block it is in: 1 when it is the newest. `fee` is what it has cost. */
  | {
      readonly state: 'included'
      readonly outcome: 'succeeded' | 'reverted'
      readonly block: BlockReference
      readonly confirmations: number
      readonly isFinal: boolean
      readonly fee: bigint
      /** Where others than the chain decide on it, as contracts of tokens do; absent where it is the amount that was asked for. */
      readonly moved?: MovedAmounts
    }
  /** It can never be mined any more: what it uses up was used by another (final) transaction, or its time has passed. */
  | { readonly state: 'impossible'; readonly reason: 'replaced' | 'expired'; readonly by: string | null }

/** Funds that have come in. `id` is unique on the chain: the transaction and the place in it. */
export type Deposit = {
  readonly id: string
  readonly hash: string
  readonly to: string
  readonly asset: string
  readonly amount: bigint
  readonly from: string | null
  readonly block: BlockReference
}

export type Deposits = {
  readonly found: readonly Deposit[]
  /** Where to go on; kept by whoever asks, understood by the adapter alone. At most 16 KiB. */
  readonly cursor: string
  /** Up to which block all have been found, as far back as they are looked for at all. */
  readonly height: bigint
  /** Whether it has come to the chain's newest block. */
  readonly isAtHead: boolean
}

/** A chain, as its nodes tell it: several endpoints, asked in turn when one fails. Everything waits a bounded time. @throws ChainFailure */
export interface ChainNode {
  /** CAIP-2. */
  readonly chain: string
  /** Confirmations after which a transaction counts, and after which it is taken to be final. */
  readonly confirmations: number
  readonly finality: number
  /** How often it is worth asking whether something has changed. */
  readonly pollMs: number
  /** @throws ChainFailure, as `build` where it can be told by now: `dust`, `address_kind_not_supported`, `memo_not_supported`, `account_closed`, `asset_unknown` */
  quote(wanted: WantedTransaction): Promise<Quote>
  build(wanted: WantedTransaction, options: BuildOptions): Promise<UnsignedTransaction>
  /** Once it returns a node has the transaction, now or since before. @throws ChainFailure, `isRefusal` when it was surely not taken */
  broadcast(transaction: SentTransaction): Promise<void>
  status(transaction: SentTransaction): Promise<TransactionStatus>
  /** The nonce of the next transaction of an address, those that wait counted; null on chains that do not count. */
  nextNonce(address: string): Promise<bigint | null>
  /** At the newest block, which is told: more may have come in since the deposits were asked for. */
  balance(address: string, asset: string): Promise<{ readonly amount: bigint; readonly block: BlockReference }>
  /**
   * What has come in for these addresses in the blocks after the cursor, a bounded number of them; from the newest block on when there is none. After a reorganisation
   * it goes back by itself, and may find again what it has found before.
   */
  deposits(addresses: ReadonlySet<string>, cursor: string | null): Promise<Deposits>
  /** Null when it is not in the chain (any more); without confirmations as long as nodes do not agree on that. */
  standing(deposit: Deposit): Promise<{ readonly block: BlockReference; readonly confirmations: number } | null>
  /** Blocks from that one to the newest, both counted; null when another one is in its place. */
  depth(block: BlockReference): Promise<number | null>
  close(): Promise<void>
}

/** Those chains of this deployment that have endpoints, by CAIP-2 id. */
export type ChainNodes = ReadonlyMap<string, ChainNode>

export type ChainFailureCode =
  | 'insufficient_funds'
  /** There is enough, but not yet: other transactions use it, or it has too few confirmations. To be tried again. */
  | 'funds_locked'
  /** What the transaction spends is not there: another one has spent it, or a reorganisation has taken it away. */
  | 'inputs_missing'
  | 'nonce_too_low'
  | 'fee_too_low'
  | 'fee_too_high'
  | 'already_known'
  | 'reverted'
  | 'dust'
  /** Nobody could spend what is sent there. */
  | 'address_kind_not_supported'
  /** Its transactions have no room for one, or none as long. */
  | 'memo_not_supported'
  | 'account_closed'
  | 'asset_unknown'
  | 'transaction_expired'
  | 'transaction_rejected'
  | 'not_replaceable'
  /** Of the endpoints, not of what was asked: all are down, slow, or contradict each other. */
  | 'chain_unavailable'

/** What a chain says to a request, in the words of this side. No message repeats an endpoint's URL, which may hold a key. */
export class ChainFailure extends Error {
  override readonly name = 'ChainFailure'
  constructor(
    readonly code: ChainFailureCode,
    message: string,
    /** Whether it is sure that nothing has been done; when it is not, the chain has to be asked what has become of it. */
    readonly isRefusal: boolean,
  ) {
    super(message)
  }
}
