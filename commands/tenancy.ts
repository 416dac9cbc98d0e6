import { DomainError } from '../domain/domain-error.ts'
import { keyShareStream } from '../domain/key-share/events.ts'
import { type ExistingKeyShare, keyShare, requireKey } from '../domain/key-share/key-share.ts'
import { signingSessionStream } from '../domain/signing-session/events.ts'
import { type ExistingSession, requireSession, signingSession } from '../domain/signing-session/signing-session.ts'
import { requireAssigned, transferAssignment } from '../domain/transfer/assignment.ts'
import { type AssignedTransfer, transferStream } from '../domain/transfer/events.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { type ExistingWallet, requireWallet, wallet } from '../domain/wallet/wallet.ts'
import { webhookStream } from '../domain/webhook/events.ts'
import { type ExistingWebhook, requireWebhook, webhook } from '../domain/webhook/webhook.ts'
import { PLATFORM_TENANT, type Principal } from '../http/route.ts'
import { type AggregateLog, load } from './load.ts'

/** The wallet, if the caller may know of it. @throws DomainError `wallet_not_found` */
export async function findWallet(log: AggregateLog, walletId: string, principal: Principal): Promise<ExistingWallet> {
  const { state } = await load(log, { decider: wallet, stream: walletStream(walletId) })
  const found = requireWallet(state)
  if (!mayKnow(principal, found)) throw new DomainError('wallet_not_found', 'no such wallet')
  return found
}

/** The key, if the caller may know of it. @throws DomainError `key_not_found` */
export async function findKey(log: AggregateLog, keyId: string, principal: Principal): Promise<ExistingKeyShare> {
  const { state } = await load(log, { decider: keyShare, stream: keyShareStream(keyId) })
  const found = requireKey(state)
  if (!mayKnow(principal, found)) throw new DomainError('key_not_found', 'no such key')
  return found
}

/** The session, if the caller may know of it. @throws DomainError `session_not_found` */
export async function findSession(log: AggregateLog, sessionId: string, principal: Principal): Promise<ExistingSession> {
  const { state } = await load(log, { decider: signingSession, stream: signingSessionStream(sessionId) })
  const found = requireSession(state)
  if (!mayKnow(principal, found)) throw new DomainError('session_not_found', 'no such signing session')
  return found
}

/** Which wallet a transfer is of, if the caller may know of it. @throws DomainError `transfer_not_found` */
export async function findTransfer(log: AggregateLog, transferId: string, principal: Principal): Promise<AssignedTransfer> {
  const { state } = await load(log, { decider: transferAssignment, stream: transferStream(transferId) })
  const found = requireAssigned(state)
  if (!mayKnow(principal, found)) throw new DomainError('transfer_not_found', 'no such transfer')
  return found
}

/** The webhook, if the caller may know of it. @throws DomainError `webhook_not_found` */
export async function findWebhook(log: AggregateLog, webhookId: string, principal: Principal): Promise<ExistingWebhook> {
  const { state } = await load(log, { decider: webhook, stream: webhookStream(webhookId) })
  const found = requireWebhook(state)
  if (!mayKnow(principal, found)) throw new DomainError('webhook_not_found', 'no such webhook')
  return found
}

/** What belongs to another tenant does not exist; the platform's own tenant sees all. */
function mayKnow(principal: Principal, { tenant }: { tenant: string }): boolean {
  return principal.tenant === PLATFORM_TENANT || principal.tenant === tenant
}
