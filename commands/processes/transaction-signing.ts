import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { TransactionToSign } from '../../domain/ceremony/messages.ts'
import { encodeFields } from '../../domain/fields.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import type { Personal } from '../../domain/personal-data/sealed.ts'
import { type OrderedTransfer, type SigningRequest, signingSessionStream } from '../../domain/signing-session/events.ts'
import { sessionIdOf } from '../../domain/signing-session/session-id.ts'
import { type ExistingSession, type SigningSessionCommand, signingSession } from '../../domain/signing-session/signing-session.ts'
import { absent } from '../aggregate.ts'
import { type CommandContext, execute } from '../execute.ts'
import type { AggregateLog } from '../load.ts'
import { inClear } from '../personal-data.ts'

/** The account that pays, and the key at its path, hex. */
type Payer = Required<Pick<SigningRequest, 'walletId' | 'tenant' | 'keyId' | 'scheme' | 'path' | 'publicKey'>>

/** The transaction that a transfer wants signed. `authorisation` is the request of the transfer. */
export type TransactionOrder = Payer &
  OrderedTransfer & {
    transferId: string
    /** Of the transfer's transactions, from 1. Other bytes are another version. */
    version: number
    /** From 1; one more when the sessions before have failed. */
    attempt: number
    /** CAIP-2. */
    chain: string
    unsigned: Uint8Array
    /** What it is signed with, as its codec lists them. */
    messages: readonly Uint8Array[]
    authorisation: Personal<Authorisation>
    /** RFC 3339; after it the sessions expire. */
    deadline: string
    priority?: SigningRequest['priority']
  }

/**
 * Asks for the signatures of a transaction, in a session for each of its messages. Asked for again, it changes nothing.
 * @returns the ids of the sessions, in the order of the messages
 * @throws DomainError `idempotency_key_reused` when this version of the transfer's transactions is another one, Unavailable
 */
export async function requestTransactionSignatures(
  log: AggregateLog,
  order: TransactionOrder,
  context: Omit<CommandContext, 'commandId' | 'requestDigest'>,
): Promise<readonly string[]> {
  const { messages, ...rest } = order
  const ids: string[] = []
  for (const [index, message] of messages.entries()) ids.push(await requestSession(log, requestOf(rest, index, message), context))
  return ids
}

/** What a party is shown of who has asked for a signature, who has approved it, and of the transaction if it is one. */
export type Asked = { authorisation: Authorisation; approvals: readonly Authorisation[]; transaction: TransactionToSign | null }

/** @throws DomainError `personal_data_erased`; Unavailable */
export async function askedOf(log: AggregateLog, { walletId, payload, transfer, approvedBy, ...session }: ExistingSession): Promise<Asked> {
  const open = <T>(given: Personal<T>) => inClear(log, walletId, 'authorisation', given)
  const authorisation = await open(session.authorisation)
  if (!transfer) return { authorisation, approvals: approvedBy, transaction: null }
  if (payload.kind !== 'transaction') throw new Error('the session of a transfer signs no transaction')
  const { chain, transferId, unsigned, index } = payload
  const approvals = await Promise.all(transfer.approvals.map(open))
  const replacement = await open(transfer.replacement)
  return {
    authorisation,
    approvals,
    transaction: { chain, transferId, unsigned: new Uint8Array(Buffer.from(unsigned, 'base64')), index, replacement },
  }
}

function requestOf(order: Omit<TransactionOrder, 'messages'>, index: number, message: Uint8Array): SigningRequest {
  const { transferId, version, attempt, chain, unsigned, signers, approvals, replacement, ...request } = order
  return {
    ...request,
    sessionId: sessionIdOf(transferId, version, index, attempt),
    payload: { kind: 'transaction', chain, transferId, unsigned: Buffer.from(unsigned).toString('base64'), index },
    transfer: { signers, approvals, replacement },
    message: bytesToHex(message),
    approvals: null,
  }
}

/** A session is asked for by one command, whoever gives it, and for one transaction. */
async function requestSession(
  log: AggregateLog,
  request: SigningRequest,
  context: Omit<CommandContext, 'commandId' | 'requestDigest'>,
): Promise<string> {
  const { sessionId, keyId, path = 'm', message } = request
  const command: SigningSessionCommand = { type: 'RequestSignature', ...request }
  const aggregate = { decider: signingSession, stream: signingSessionStream(sessionId) }
  const requestDigest = bytesToHex(sha256(encodeFields(keyId, path, message)))
  await execute(log, aggregate, () => command, { ...context, commandId: sessionId, requestDigest }, absent(signingSession))
  return sessionId
}
