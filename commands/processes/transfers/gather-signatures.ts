import { hexToBytes } from '@noble/hashes/utils.js'
import { AUTHORISATION_CODES } from '../../../domain/authorisation/refused.ts'
import { DomainError } from '../../../domain/domain-error.ts'
import { type MadeSignature, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { signingSessionStream } from '../../../domain/signing-session/events.ts'
import { sessionIdOf } from '../../../domain/signing-session/session-id.ts'
import {
  type ExistingSession,
  requireSession,
  type SigningSessionCommand,
  signingSession,
} from '../../../domain/signing-session/signing-session.ts'
import { latestOf, type Transaction, type Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import { execute } from '../../execute.ts'
import { load } from '../../load.ts'
import { inAnswerTo } from '../process.ts'
import { requestTransactionSignatures } from '../transaction-signing.ts'
import { bytesOf, type PayerTurn, senderOf, versionKey } from './payer-turn.ts'

const NAME = 'transfers'
/** Attempts at the signatures of one transaction, each of which is several of the parties. */
const MAX_ATTEMPTS = 5
const SESSION_MS = 60_000

/** Nobody will sign it, however often they are asked. */
const FINAL: readonly string[] = [
  ...AUTHORISATION_CODES.filter((code) => code !== 'intent_not_yet_valid'),
  'intent_reused',
  'signed_already',
  'transaction_refused',
  'key_not_active',
  'key_revoked',
  'personal_data_erased',
]

/**
 * Asks for the signatures of what was built, and puts those together that have come. The very same transaction is signed again when they have not; nothing
 * else is signed in its place, as parties may have signed it, and who holds their shares could send it.
 */
export async function gatherSignatures(turn: PayerTurn): Promise<void> {
  const { book } = turn
  if (book.wallet().status === 'frozen') return
  for (const transfer of book.transfers()) {
    const latest = latestOf(transfer)
    if (latest && latest.raw === null && !transfer.mined && transfer.status !== 'stuck') await gather(turn, transfer, latest)
  }
}

async function gather(turn: PayerTurn, transfer: Transfer, transaction: Transaction): Promise<void> {
  const { codec, book, memory } = turn
  const { transferId } = transfer
  const { version } = transaction
  const key = versionKey(transferId, version)

  for (let attempt = memory.attempts.get(key) ?? 1; attempt <= MAX_ATTEMPTS; attempt++) {
    memory.attempts.set(key, attempt)
    const sessionIds = transaction.sessionIds.map((_, index) => sessionIdOf(transferId, version, index, attempt))
    const stages = sessionIds.map((id) => turn.underWay.session(id))
    if (stages.includes(undefined)) return request(turn, transfer, transaction, attempt)
    if (stages.includes('requested')) return
    const sessions = await Promise.all(sessionIds.map((id) => sessionOf(turn, id)))
    const failed = sessions.find(({ status }) => status !== 'signed')
    if (!failed) {
      const { raw, hash } = codec.attach(bytesOf(transaction.unsigned), senderOf(transfer), sessions.map(signatureOf))
      const command = { type: 'SignTransfer', transferId, version, raw: Buffer.from(raw).toString('base64'), hash } as const
      await book.carryOut(transferId, [command])
      return
    }
    const code = failed.failure?.code ?? failed.status
    if (FINAL.includes(code) || attempt === MAX_ATTEMPTS) return giveUp(turn, transfer, code)
  }
}

async function request(turn: PayerTurn, transfer: Transfer, transaction: Transaction, attempt: number): Promise<void> {
  const { log, book, codec, underWay } = turn
  const { transferId, keyId, scheme, path, publicKey, chain, requires, approvedBy, authorisation } = transfer
  const requested = underWay.requested(transferId)
  if (!requested) return
  const { walletId, tenant } = book.wallet()
  const unsigned = bytesOf(transaction.unsigned)
  const order = {
    unsigned,
    messages: codec.messages(unsigned, senderOf(transfer)),
    version: transaction.version,
    attempt,
    transferId,
    walletId,
    tenant,
    keyId,
    scheme,
    path,
    publicKey,
    chain,
    // What moves nothing takes no more than the threshold.
    signers: transaction.as === 'cancellation' ? 0 : requires.signers,
    approvals: approvedBy,
    replacement: transaction.authorisation,
    authorisation,
    deadline: new Date(Date.now() + SESSION_MS).toISOString(),
  }
  await requestTransactionSignatures(log, order, inAnswerTo(requested, NAME))
}

/** Has the parties not asked any more for what another transaction takes the place of. */
export async function cancelSignatures(
  { log, underWay, memory }: PayerTurn,
  { transferId }: Transfer,
  transaction: Transaction,
): Promise<void> {
  const { version, sessionIds } = transaction
  const requested = underWay.requested(transferId)
  const attempt = memory.attempts.get(versionKey(transferId, version)) ?? 1
  for (const index of sessionIds.keys()) {
    const stream = signingSessionStream(sessionIdOf(transferId, version, index, attempt))
    const command = (): SigningSessionCommand => ({ type: 'CancelSession', by: NAME })
    try {
      if (requested) await execute(log, { decider: signingSession, stream }, command, inAnswerTo(requested, NAME))
    } catch (error) {
      if (!(error instanceof DomainError && ['session_terminal', 'session_not_found'].includes(error.code))) throw error
    }
  }
}

/**
 * Where no party was asked, or nothing is used up, the transfer comes to nothing. Otherwise some of them may have put aside for it what it uses up: it stays
 * until the chain has used that up, which a client can have done by cancelling it.
 */
async function giveUp(turn: PayerTurn, transfer: Transfer, code: string): Promise<void> {
  const { book } = turn
  const { transferId, transactions } = transfer
  const unclaimed = (await wasAnyPartyAsked(turn, transfer)) ? {} : { unclaimedUpTo: transactions.length }
  try {
    await book.carryOut(transferId, [{ type: 'FailTransfer', transferId, code, rule: null, ...unclaimed }])
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'transfer_may_be_signed')) throw error
    await book.carryOut(transferId, [{ type: 'MarkTransferStuck', transferId, since: new Date().toISOString(), reason: code }])
  }
}

/** Whether any party may have been asked to sign any of the transfer's transactions: unless every session has failed before it began. */
async function wasAnyPartyAsked({ log }: PayerTurn, { transferId, transactions }: Transfer): Promise<boolean> {
  for (const { version, sessionIds } of transactions)
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const sessions = await Promise.all(
        sessionIds.map((_, index) => load(log, sessionAt(sessionIdOf(transferId, version, index, attempt)))),
      )
      const requested = sessions.flatMap(({ state }) => (state.status === 'absent' ? [] : [state]))
      // That an attempt begins is written down before any party is asked. What was cut short some coordinator may still be at.
      if (requested.some((session) => session.status !== 'failed' || session.attempt > 0)) return true
      if (requested.length === 0) break
    }
  return false
}

const sessionAt = (sessionId: string) => ({ decider: signingSession, stream: signingSessionStream(sessionId) })

async function sessionOf({ log }: PayerTurn, sessionId: string): Promise<ExistingSession> {
  return requireSession((await load(log, sessionAt(sessionId))).state)
}

/** @throws TransactionRefused when the session has no signature */
function signatureOf({ signature, recoveryId }: ExistingSession): MadeSignature {
  if (signature === null) throw new TransactionRefused('the session has no signature')
  return { signature: hexToBytes(signature), recoveryId }
}
