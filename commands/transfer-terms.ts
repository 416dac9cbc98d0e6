import { hexToBytes } from '@noble/hashes/utils.js'
import { account, type ExistingAccount, requireAccount } from '../domain/account/account.ts'
import { accountStream } from '../domain/account/events.ts'
import { DomainError } from '../domain/domain-error.ts'
import { keyShareStream } from '../domain/key-share/events.ts'
import { keyShare, requireActiveKey } from '../domain/key-share/key-share.ts'
import { feeBound } from '../domain/policy/evaluate.ts'
import type { Chain, Chains } from '../domain/ports/chain.ts'
import { type Effect, type Sender, TransactionRefused } from '../domain/ports/transaction-codec.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import type { RequestedTransfer } from '../domain/wallet/transfers/events.ts'
import type { WantedTransfer } from '../domain/wallet/transfers/wanted-transfer.ts'
import type { ExistingWallet } from '../domain/wallet/wallet.ts'
import { answerOf, requireNode } from './chain-answers.ts'
import type { CommandDependencies } from './dependencies.ts'
import { type AggregateLog, load } from './load.ts'

/** What a wallet decides a transfer on. */
export type TransferTerms = RequestedTransfer & { holders: number }

/**
 * What a wanted transfer comes to: who pays, addresses and assets in their one spelling, the fee that the chain quotes, and what the amount is worth.
 * @throws DomainError with the field at fault
 */
export async function termsOf(
  wanted: WantedTransfer,
  wallet: ExistingWallet,
  { log, chains, nodes, prices }: Pick<CommandDependencies, 'log' | 'chains' | 'nodes' | 'prices'>,
  signal: AbortSignal,
): Promise<TransferTerms> {
  const chain = requireChain(chains, wanted.chain)
  const { id: asset } = chain.readAsset(wanted.asset, '/asset')
  const to = chain.readAddress(wanted.to, '/to')
  const node = requireNode(nodes, chain.id)
  const payer = await findPayer(log, wallet, chain, asset, wanted.accountId)
  const { accountId, keyId, path, publicKey, address } = payer
  const scheme = payer.scheme as Scheme
  const key = requireActiveKey((await load(log, { decider: keyShare, stream: keyShareStream(keyId) })).state)
  const { amount, fee, maxFee, memo, publicMemo, psbt } = wanted
  const sender = { scheme, publicKey: hexToBytes(publicKey), address }
  const made = psbt === null ? null : await readMade(chain, psbt, sender, { asset, to, amount, memo: publicMemo })
  const quote = await answerOf(node.quote({ sender, asset, to, amount, fee, maxFee, memo: publicMemo, made }), signal)
  const bound = feeBound(wallet.policy.transfers, chain.id, maxFee, chain.feeCeiling)
  if (quote.fee > bound)
    throw new DomainError('fee_too_high', `it would cost ${quote.fee}, which is more than ${bound}`, maxFee === null ? '/fee' : '/maxFee')
  const usdCents = prices.usdCents(asset, amount)
  return {
    accountId,
    keyId,
    scheme,
    chain: chain.id,
    path,
    publicKey,
    address,
    asset,
    to,
    amount: String(amount),
    fee,
    maxFee: maxFee === null ? null : String(maxFee),
    memo,
    feeAsset: chain.nativeAsset,
    quotedFee: String(quote.fee),
    usdCents: usdCents === undefined ? null : String(usdCents),
    holders: key.parties.length,
    ...(publicMemo !== null && { publicMemo }),
    ...(psbt !== null && { psbt }),
  }
}

/**
 * The transaction that another wallet has made, when it does what the transfer says.
 * @throws DomainError `psbt_not_supported`, `psbt_invalid`, `psbt_mismatch`
 */
async function readMade(
  chain: Chain,
  psbt: string,
  sender: Sender,
  wanted: Pick<Effect, 'asset' | 'to' | 'amount' | 'memo'>,
): Promise<Uint8Array> {
  const codec = await chain.transactions()
  if (!codec.fromPsbt) throw new DomainError('psbt_not_supported', 'transactions of this chain have no such form', '/psbt')
  try {
    const unsigned = codec.fromPsbt(new Uint8Array(Buffer.from(psbt, 'base64')))
    const effect = codec.read(unsigned, sender)
    const other = (['asset', 'to', 'amount', 'memo'] as const).find((field) => effect[field] !== wanted[field])
    if (effect.kind !== 'transfer' || other) throw new DomainError('psbt_mismatch', `its ${other ?? 'kind'} is another one`, '/psbt')
    return unsigned
  } catch (error) {
    if (error instanceof TransactionRefused) throw new DomainError('psbt_invalid', error.message, '/psbt')
    throw error
  }
}

/** @throws DomainError `unknown_chain` */
function requireChain(chains: Chains, id: string): Chain {
  const chain = chains.get(id)
  if (!chain) throw new DomainError('unknown_chain', 'GET /v1/chains lists those that there are', '/chain')
  return chain
}

/**
 * The account that is named, or else the only one that has any of the asset. Where none has, the only one that has anything on the chain is asked about,
 * so that an asset that does not exist is called so.
 * @throws DomainError `account_not_found`, `account_ambiguous`, `insufficient_funds`
 */
async function findPayer(
  log: AggregateLog,
  { walletId, funds }: ExistingWallet,
  chain: Chain,
  asset: string,
  named: string | null,
): Promise<ExistingAccount> {
  const having = Object.keys(funds).filter((accountId) => funds[accountId]?.[asset])
  const onChain = Object.keys(funds).filter((accountId) => Object.keys(funds[accountId]!).some((held) => held.startsWith(`${chain.id}/`)))
  const [accountId, ...others] = named !== null ? [named] : having.length === 0 && onChain.length === 1 ? onChain : having
  if (accountId === undefined) throw new DomainError('insufficient_funds', `no account of the wallet has any of ${asset}`, '/amount')
  if (others.length > 0)
    throw new DomainError('account_ambiguous', `${having.length} accounts have some: say which is to pay`, '/accountId')
  const { state } = await load(log, { decider: account, stream: accountStream(accountId) })
  if (state.status === 'absent' || state.walletId !== walletId || state.chain !== chain.id)
    throw new DomainError('account_not_found', `the wallet has no such account on ${chain.id}`, '/accountId')
  return requireAccount(state)
}
