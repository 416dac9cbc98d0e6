import { sha256 } from '@noble/hashes/sha2.js'
import { accountIdOf } from '../domain/account/account-id.ts'
import { base64ToBytes } from '../domain/audit/base64.ts'
import { MAX_AGE_SECONDS, verifyApprovals } from '../domain/authorisation/approvals.ts'
import { type Intent, intentId, readIntent, verifyIntent } from '../domain/authorisation/intent.ts'
import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import type { TransactionToSign } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { encodeFields } from '../domain/fields.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import type { Decision } from '../domain/policy/decision.ts'
import { evaluate, feeBound } from '../domain/policy/evaluate.ts'
import { MAX_DELAY_SECONDS } from '../domain/policy/rules.ts'
import type { Chain, Chains } from '../domain/ports/chain.ts'
import type { Prices } from '../domain/ports/prices.ts'
import type { History, SigningLedger } from '../domain/ports/signing-ledger.ts'
import { type Effect, LIFETIME_MARGIN_SECONDS, type Sender, type TransactionCodec } from '../domain/ports/transaction-codec.ts'
import { parsePath } from '../domain/threshold/derivation-path.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { transferIdOf, transferPath } from '../domain/wallet/transfers/transfer-id.ts'
import { readWantedTransfer, type WantedTransfer } from '../domain/wallet/transfers/wanted-transfer.ts'
import type { Allowed, Spending } from './allowance.ts'
import { coded, type Rules, requirePost } from './authorisation.ts'
import { type ReplacementWanted, readReplacement } from './replacement.ts'
import type { ShareRecord } from './share-record.ts'

/** A signature that is said to be part of a transfer's transaction. Nothing of it is believed. */
export type TransactionAsked = Rules & {
  authorisation: Authorisation
  approvals: readonly Authorisation[]
  transaction: TransactionToSign
  keyId: string
  scheme: Scheme
  path: string
  signers: readonly string[]
  record: Pick<ShareRecord, 'publicPackage'>
}

export type TransactionDependencies = { chains: Chains; prices: Prices; ledger: Pick<SigningLedger, 'history'> }

/** How long after it could be signed first a transfer can be, and after it was asked for when the client asks for an acceleration now; a cancellation always can. */
const TRANSFER_SECONDS = MAX_AGE_SECONDS
const ACCELERABLE_SECONDS = 30 * 24 * 60 * 60

/**
 * Whether the transaction is what a client of the key has asked for, and the policy allows it: read by this party itself, from the bytes that are to be signed.
 * @throws Refusal, ClaimRefused
 */
export async function allowTransaction(asked: TransactionAsked, dependencies: TransactionDependencies): Promise<Allowed & Spending> {
  const { transaction, keyId, path, policy } = asked
  const { chains, prices, ledger } = dependencies
  const { walletId } = policy
  const { wanted, request, replacement } = coded(() => readRequest(asked))
  const { transferId, unsigned, index } = transaction

  const chain = chains.get(wanted.chain)
  if (!chain) throw new Refusal('transaction_refused', `this party knows nothing of ${wanted.chain}`)
  if (transaction.chain !== chain.id) throw differs('chain')
  const sender = coded(() => senderAt(chain, asked))
  if (wanted.accountId !== null && wanted.accountId !== accountIdOf({ walletId, keyId, chain: chain.id, path })) throw differs('account')
  const codec = await chain.transactions()
  const effect = coded(() => codec.read(unsigned, sender))
  const move = coded(() => moveOf(chain, wanted))
  requireEffect(effect, move, replacement)
  if (wanted.psbt !== null) coded(() => requireMade(codec, sender, wanted.psbt!, { unsigned, effect, replacement }))
  requireFee(effect, chain, policy, wanted, replacement)

  const usdCents = prices.usdCents(move.asset, move.amount) ?? null
  const judge = ({ at, moved }: History): Decision => evaluate(policy, { ...move, chain: chain.id, usdCents, at, fee: effect.fee }, moved)
  const windowMs = longestWindowMs(policy)
  // What moves nothing is not forbidden by what it would move, and takes no more than the threshold: what the policy does not allow any more can be undone.
  const moves = effect.kind === 'cancellation' ? null : { asset: move.asset, amount: move.amount, usdCents }
  const decision = moves && judge(ledger.history({ walletId, transferId }, windowMs))
  const denied = decision && denialIn(decision)
  if (denied) throw new Refusal('policy_forbids', denied)
  const approvers = decision ? coded(() => requireMet(decision, request, asked, replacement)) : []

  const message = coded(() => codec.messages(unsigned, sender))[index]
  if (!message) throw new Refusal('malformed', `the transaction has no message ${index}`)
  const intents = [request, ...approvers, ...(replacement ? [replacement.intent] : [])].map(intentId)
  return {
    message,
    path,
    intents,
    slots: effect.conflicts.map((conflict) => `${chain.id} ${sender.address} ${conflict}`),
    transaction: {
      transferId,
      walletId,
      // On some chains a transaction does not say who pays: two accounts could sign the very same one.
      digest: sha256(encodeFields('quorate transaction', chain.id, sender.address, unsigned)),
      lifetimeMs: effect.lifetimeSeconds === null ? null : (effect.lifetimeSeconds + LIFETIME_MARGIN_SECONDS) * 1000,
      replacement: replacement && intentId(replacement.intent),
      moves,
    },
    ...(moves && { limits: { windowMs, exceededBy: (history) => denialIn(judge(history)) } }),
  }
}

type Requested = { wanted: WantedTransfer; request: Intent; replacement: ReplacementWanted | null }

/**
 * What the client has asked for, when it is this transfer. Who asks for a cancellation speaks for himself: whoever asked for the transfer may be a client no more,
 * so that its request only says which one it is, and is not believed.
 * @throws what `coded` takes
 */
function readRequest({ authorisation, transaction, policy, verify, now }: TransactionAsked): Requested {
  const { walletId, clientKeys: keys } = policy
  const { transferId } = transaction
  requirePost(authorisation, `/v1/wallets/${walletId}/transfers`)
  const replacement = transaction.replacement && readReplacement(transaction.replacement, transferId, { keys, verify, now })
  const maxAgeSeconds = replacement ? ACCELERABLE_SECONDS : TRANSFER_SECONDS + MAX_DELAY_SECONDS
  const isCancelled = replacement?.kind === 'cancellation'
  const request = isCancelled ? readIntent(authorisation) : verifyIntent(authorisation, { keys, verify, now, maxAgeSeconds })
  if (transferIdOf(walletId, request) !== transferId) throw new Refusal('request_mismatch', 'the client has asked for another transfer')
  return { wanted: readWantedTransfer(authorisation.body), request, replacement }
}

/** The account that pays: this very key's, at the path. @throws Refusal, InvalidPublicKey, ProtocolAbort */
function senderAt(chain: Chain, { scheme, path, record }: TransactionAsked): Sender {
  if (!chain.schemes.includes(scheme)) throw new Refusal('transaction_refused', `${chain.id} takes no signatures of ${scheme}`)
  const { publicKey } = protocolOf(scheme).derive(record.publicPackage, parsePath(path))
  return { scheme, publicKey, address: chain.addressOf(scheme, publicKey) }
}

type Move = Pick<Effect, 'asset' | 'to' | 'amount' | 'memo'>

/** @throws DomainError */
function moveOf(chain: Chain, { asset, to, amount, publicMemo }: WantedTransfer): Move {
  return { asset: chain.readAsset(asset, '/asset').id, to: chain.readAddress(to, '/to'), amount, memo: publicMemo }
}

/** @throws Refusal `transaction_mismatch` naming the field, `transaction_refused` */
function requireEffect(effect: Effect, move: Move, replacement: ReplacementWanted | null): void {
  if (effect.conflicts.length === 0 && effect.lifetimeSeconds === null)
    throw new Refusal('transaction_refused', 'nothing keeps the transaction from being mined twice')
  if (effect.kind !== (replacement?.kind === 'cancellation' ? 'cancellation' : 'transfer')) throw differs('kind')
  if (effect.kind === 'cancellation') return
  for (const field of ['asset', 'to', 'amount', 'memo'] as const) if (effect[field] !== move[field]) throw differs(field)
}

type Shown = { unsigned: Uint8Array; effect: Effect; replacement: ReplacementWanted | null }

/**
 * What another wallet has made is signed as it is. What takes its place spends nothing else: then no more than one of them can be mined, whether or not this party
 * has signed the first. @throws Refusal `transaction_mismatch`, TransactionRefused
 */
function requireMade(codec: TransactionCodec, sender: Sender, psbt: string, { unsigned, effect, replacement }: Shown): void {
  const bytes = base64ToBytes(psbt)
  const made = bytes && codec.fromPsbt?.(bytes)
  if (!made || !(replacement || equalBytes(made, unsigned))) throw differs('PSBT')
  const { conflicts } = codec.read(made, sender)
  if (!effect.conflicts.every((conflict) => conflicts.includes(conflict))) throw differs('PSBT')
}

/** @throws Refusal `fee_too_high` */
function requireFee(
  { fee }: Effect,
  chain: Chain,
  { transfers }: KeyPolicy,
  { maxFee }: WantedTransfer,
  replacement: ReplacementWanted | null,
): void {
  // What is not believed lifts no bound.
  const asked = replacement?.kind === 'cancellation' ? lesser(maxFee ?? chain.feeCeiling, chain.feeCeiling) : maxFee
  const bound = feeBound(transfers, chain.id, replacement?.maxFee ?? asked, chain.feeCeiling)
  if (fee > bound) throw new Refusal('fee_too_high', `it may cost ${fee}, which is more than ${bound}`)
}

/** The approvals that the policy wants, once as many sign as it wants, and not too early or late. @throws Refusal, AuthorisationRefused */
function requireMet(
  { requires }: Decision,
  request: Intent,
  { authorisation, approvals, transaction, signers, policy, verify, now }: TransactionAsked,
  replacement: ReplacementWanted | null,
): readonly Intent[] {
  if (signers.length < requires.signers)
    throw new Refusal('too_few_signers', `the policy wants ${requires.signers} signers, and ${signers.length} were chosen`)
  const opensAt = request.iat + requires.delaySeconds
  if (now / 1000 < opensAt) throw new Refusal('time_locked', `the policy wants ${requires.delaySeconds} s to pass after the request`)
  const lateAfter = replacement ? ACCELERABLE_SECONDS : requires.delaySeconds + TRANSFER_SECONDS
  if (now / 1000 > request.iat + lateAfter) throw new Refusal('intent_expired', 'the request was made too long ago')
  if (!requires.approvals) return []
  const { required, approvers: kids } = requires.approvals
  const named = policy.approvals?.approvers ?? policy.transfers?.approvers ?? []
  const approvers = named.filter(({ kid }) => kids.includes(kid))
  const given = { authorisation, asked: request, approvals, path: transferPath(transaction.transferId, 'approvals') }
  return verifyApprovals(given, { required, approvers }, { verify, now, maxAgeSeconds: lateAfter })
}

function longestWindowMs({ transfers }: KeyPolicy): number {
  return Math.max(0, ...(transfers?.limits ?? []).map(({ windowSeconds = 0 }) => windowSeconds * 1000))
}

const lesser = (one: bigint, other: bigint): bigint => (one < other ? one : other)

const denialIn = ({ findings }: Decision): string | undefined => {
  const denied = findings.find(({ outcome }) => outcome === 'denied')
  return denied && `${denied.rule}: ${denied.because}`
}

const differs = (what: string) => new Refusal('transaction_mismatch', `the ${what} of the transaction is not what the client has asked for`)
