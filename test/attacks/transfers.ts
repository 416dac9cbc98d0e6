/** Transfers in an attacker's hands: he builds the transactions, and has a party asked to sign them, with no API in front of it. */
import { randomUUID } from 'node:crypto'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { verifyIntent } from '../../domain/authorisation/intent.ts'
import type { TestSigner } from '../../domain/authorisation/testing/signer.ts'
import type { CeremonyReply, TransactionToSign } from '../../domain/ceremony/messages.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { transferIdOf, transferPath } from '../../domain/wallet/transfers/transfer-id.ts'
import { referenceTo } from '../ceremony/by-hand.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToSign, PARTY, post } from './coordinator.ts'

const TIMEOUT_MS = 30_000
let asked = 1_000

/** A client's request for a transfer, and which one it is. */
export type AskedTransfer = { readonly authorisation: Authorisation; readonly transferId: string }

export function transferRequest(
  system: TestSystem,
  walletId: string,
  body: object,
  made: { at?: number; claims?: object } = {},
): AskedTransfer {
  const authorisation = system.client.authorise(post(`/v1/wallets/${walletId}/transfers`, body), made)
  const at = made.at ?? Date.now()
  const intent = verifyIntent(authorisation, { keys: [system.client.key], verify: verifyJws, now: at })
  return { authorisation, transferId: transferIdOf(walletId, intent) }
}

export const approvalOf = (approver: TestSigner, { transferId }: AskedTransfer, made: { at?: number } = {}): Authorisation =>
  approver.authorise(post(transferPath(transferId, 'approvals'), { decision: 'approve' }), made)

export const replacementOf = (system: TestSystem, { transferId }: AskedTransfer, what: 'cancel' | 'accelerate', body: object = {}) =>
  system.client.authorise(post(transferPath(transferId, what), body))

export type TransactionAsked = Partial<TransactionToSign> & {
  chain: string
  unsigned: Uint8Array
  path?: string
  approvals?: readonly Authorisation[]
  signers?: readonly string[]
  sessionId?: string
}

/** What the party answers when it is asked to sign: `contributed`, or `said` where signers open together, means that it does. */
export function askForTransaction(
  system: TestSystem,
  key: ExistingKeyShare,
  { authorisation, transferId }: AskedTransfer,
  { path = 'm', approvals = [], signers = key.parties.slice(0, key.threshold), sessionId = randomUUID(), ...changes }: TransactionAsked,
): Promise<CeremonyReply> {
  const transaction = { transferId, index: 0, replacement: null, ...changes }
  if (protocolOf(key.scheme).signing.openedBy === 'each')
    return askToSign(system, key, { authorisation, path, approvals, transaction }, sessionId)
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: sessionId, attempt: ++asked, round: 1, to: PARTY } as const
  const task = { share: referenceTo(key), path, signers, authorisation, approvals, transaction }
  return system.channel.ask(header, { type: 'signTogether', task }, { timeoutMs: TIMEOUT_MS })
}

export const isSigned = ({ type }: CeremonyReply): boolean => type === 'contributed' || type === 'said'
