import { base58, base64 } from '@scure/base'
import type { Call } from '../rpc/endpoint.ts'
import { EndpointFailure } from '../rpc/failures.ts'
import { TOKEN } from './programs.ts'

export type Commitment = 'confirmed' | 'finalized'
export type AccountState = { readonly owner: string; readonly data: Uint8Array; readonly isProgram: boolean }
export type SignatureState = {
  readonly slot: bigint
  readonly hasFailed: boolean
  readonly isConfirmed: boolean
  readonly isFinal: boolean
}
export type TokenBalance = {
  readonly account: number
  readonly mint: string
  readonly owner: string
  readonly program: string
  readonly amount: bigint
}

export type NamingTransaction = { readonly signature: string; readonly slot: bigint; readonly hasFailed: boolean }

/** A transaction in the chain, with what its accounts held before and after: null where that is too much for a number of JSON to be exact. */
export type MinedTransaction = {
  readonly slot: bigint
  readonly accounts: readonly string[]
  readonly hasFailed: boolean
  readonly fee: bigint
  readonly before: readonly (bigint | null)[]
  readonly after: readonly (bigint | null)[]
  readonly tokensBefore: readonly TokenBalance[]
  readonly tokensAfter: readonly TokenBalance[]
}

/** What is asked of a node of a cluster. What it answers is read strictly: what is malformed counts as no answer. @throws RpcRefusal, EndpointFailure */
export type Cluster = ReturnType<typeof clusterOf>

/** Most that is answered at once, by the rules of the RPC. */
const MAX_SIGNATURES = 1_000

export function clusterOf(call: Call) {
  /** `slot` is that of which it is told. */
  async function accountAt(address: string, commitment: Commitment): Promise<{ account: AccountState | null; slot: bigint }> {
    const { context, value } = record(await call('getAccountInfo', [address, { encoding: 'base64', commitment }]))
    const slot = whole(record(context).slot)
    if (value === null) return { account: null, slot }
    const { owner, data, executable } = record(value)
    return { account: { owner: text(owner), data: base64.decode(text(list(data)[0])), isProgram: executable === true }, slot }
  }

  return {
    async slot(): Promise<bigint> {
      return whole(await call('getSlot', [{ commitment: 'confirmed' }]))
    },

    /** `lastHeight` is that of the last block that a transaction with this hash can be in. */
    async latestBlockhash(): Promise<{ hash: string; lastHeight: bigint }> {
      const { value } = record(await call('getLatestBlockhash', [{ commitment: 'confirmed' }]))
      const { blockhash, lastValidBlockHeight } = record(value)
      return { hash: hash(blockhash), lastHeight: whole(lastValidBlockHeight) }
    },

    /** The newest final block. */
    async finalBlock(): Promise<{ height: bigint; slot: bigint }> {
      const { blockHeight, absoluteSlot } = record(await call('getEpochInfo', [{ commitment: 'finalized' }]))
      return { height: whole(blockHeight), slot: whole(absoluteSlot) }
    },

    /** Null when there is none. */
    account: async (address: string, commitment: Commitment) => (await accountAt(address, commitment)).account,
    accountAt,

    /** In lamports; `slot` is that of which it is told. */
    async balance(address: string): Promise<{ amount: bigint; slot: bigint }> {
      const { context, value } = record(await call('getBalance', [address, { commitment: 'confirmed' }]))
      return { amount: whole(value), slot: whole(record(context).slot) }
    },

    /** Accounts in which tokens of an owner are kept. A node that has not come to the slot `by` has no answer. */
    async tokenAccounts(owner: string, by: bigint): Promise<readonly string[]> {
      const options = { encoding: 'base64', commitment: 'confirmed', dataSlice: { offset: 0, length: 0 }, minContextSlot: Number(by) }
      const { value } = record(await call('getTokenAccountsByOwner', [owner, { programId: TOKEN }, options]))
      return list(value).map((each) => text(record(each).pubkey))
    },

    /** Lamports that an account of so many bytes must hold. */
    async rentOf(bytes: number): Promise<bigint> {
      return whole(await call('getMinimumBalanceForRentExemption', [bytes]))
    },

    /** What has been paid of late for a compute unit by transactions that write these accounts, in millionths of a lamport. */
    async recentPrices(accounts: readonly string[]): Promise<readonly bigint[]> {
      return list(await call('getRecentPrioritizationFees', [accounts])).map((each) => whole(record(each).prioritizationFee))
    },

    /** Null when the node knows of none; `at` is the slot that it knows of. */
    async signature(signature: string): Promise<{ state: SignatureState | null; at: bigint }> {
      const { context, value } = record(await call('getSignatureStatuses', [[signature], { searchTransactionHistory: true }]))
      const at = whole(record(context).slot)
      const [found] = list(value)
      if (found === null || found === undefined) return { state: null, at }
      const { slot, err, confirmationStatus } = record(found)
      const isFinal = confirmationStatus === 'finalized'
      return {
        state: { slot: whole(slot), hasFailed: err !== null, isConfirmed: isFinal || confirmationStatus === 'confirmed', isFinal },
        at,
      }
    },

    /** Those of transactions that name an address, the newest first. A node that has not come to the slot `by` has no answer. */
    async signaturesOf(address: string, before: string | undefined, by: bigint): Promise<readonly NamingTransaction[]> {
      const options = {
        limit: MAX_SIGNATURES,
        commitment: 'confirmed',
        minContextSlot: Number(by),
        ...(before === undefined ? {} : { before }),
      }
      return list(await call('getSignaturesForAddress', [address, options])).map((each) => {
        const { signature, slot, err } = record(each)
        return { signature: text(signature), slot: whole(slot), hasFailed: err !== null }
      })
    },

    async transaction(signature: string): Promise<MinedTransaction | null> {
      const options = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: 0 }
      const found = await call('getTransaction', [signature, options])
      return found === null ? null : minedIn(record(found))
    },

    /** Whether there is a block in a slot. */
    async hasBlock(slot: bigint): Promise<boolean> {
      return list(await call('getBlocks', [Number(slot), Number(slot), { commitment: 'confirmed' }])).length > 0
    },

    /** Of the block in a slot; null when there is none. */
    async blockhash(slot: bigint): Promise<string | null> {
      const options = { transactionDetails: 'none', rewards: false, commitment: 'confirmed', maxSupportedTransactionVersion: 0 }
      const found = await call('getBlock', [Number(slot), options])
      return found === null ? null : hash(record(found).blockhash)
    },
  }
}

function minedIn({ slot, transaction, meta }: Fields): MinedTransaction {
  const { err, fee, preBalances, postBalances, preTokenBalances, postTokenBalances, loadedAddresses } = record(meta)
  const loaded = loadedAddresses === undefined || loadedAddresses === null ? {} : record(loadedAddresses)
  const accounts = [record(record(transaction).message).accountKeys, loaded.writable ?? [], loaded.readonly ?? []].flatMap((keys) =>
    list(keys).map(text),
  )
  return {
    slot: whole(slot),
    accounts,
    hasFailed: err !== null,
    fee: whole(fee),
    before: list(preBalances).map(lamports),
    after: list(postBalances).map(lamports),
    tokensBefore: list(preTokenBalances ?? []).map(tokenBalance),
    tokensAfter: list(postTokenBalances ?? []).map(tokenBalance),
  }
}

/** What an account has more of after the transaction, in lamports. @throws EndpointFailure when it has more than can be read, which is 9,007,199 SOL */
export function gainOf({ before, after }: Pick<MinedTransaction, 'before' | 'after'>, account: number): bigint {
  const { [account]: had = 0n } = before
  const { [account]: has = 0n } = after
  if (had === null || has === null) throw malformed()
  return has - had
}

function tokenBalance(value: unknown): TokenBalance {
  const { accountIndex, mint, owner, programId, uiTokenAmount } = record(value)
  const amount = text(record(uiTokenAmount).amount)
  if (!/^\d{1,20}$/.test(amount)) throw malformed()
  // Very old transactions do not say whose the tokens are.
  return {
    account: Number(whole(accountIndex)),
    mint: text(mint),
    owner: owner === undefined ? '' : text(owner),
    program: programId === undefined ? '' : text(programId),
    amount: BigInt(amount),
  }
}

type Fields = { readonly [field: string]: unknown }

const malformed = () => new EndpointFailure('malformed_answer', false)

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return value as Fields
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed()
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw malformed()
  return value
}

function whole(value: unknown): bigint {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed()
  return BigInt(value as number)
}

/** JSON's numbers are exact up to 2^53. What strangers hold is not for them to make a transaction unreadable by. */
function lamports(value: unknown): bigint | null {
  if (!Number.isInteger(value) || (value as number) < 0) throw malformed()
  return Number.isSafeInteger(value) ? BigInt(value as number) : null
}

function hash(value: unknown): string {
  const found = text(value)
  if (!/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(found) || base58.decode(found).length !== 32) throw malformed()
  return found
}
