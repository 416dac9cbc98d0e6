import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { Authorisation } from '../key-share/events.ts'
import type { Failure, SessionIdentity, SigningRequest, SigningSessionEvent } from './events.ts'

export const TERMINAL_STATUSES = ['signed', 'failed', 'expired', 'cancelled', 'rejected'] as const

export type SigningSession = { status: 'absent' } | ExistingSession

export type ExistingSession = SigningRequest & {
  status: 'requested' | 'pending_approval' | 'preparing' | 'round' | 'verifying' | (typeof TERMINAL_STATUSES)[number]
  granted: readonly string[]
  /** What those have signed who granted it. */
  approvedBy: readonly Authorisation[]
  refused: readonly string[]
  attempt: number
  signers: readonly string[]
  round: { number: number; of: number } | null
  signature: string | null
  /** With a signature of ECDSA. */
  recoveryId: number | null
  failure: Failure | null
}

export type SigningSessionCommand =
  | ({ type: 'RequestSignature' } & SigningRequest)
  | ({ type: 'DecideApproval' } & ApproversDecision)
  /** The policy in force asks for no approvals: nobody is left who could give one. */
  | { type: 'GiveUpApproval' }
  | { type: 'StartSigning'; attempt: number; signers: readonly string[]; previous: Failure | null }
  | { type: 'CompleteRound'; attempt: number; round: number; rounds: number }
  | { type: 'ProduceSignature'; attempt: number; signature: string; recoveryId?: number }
  | { type: 'FailSigning'; code: string; culprits: readonly string[] }
  | { type: 'ExpireSession'; now: string }
  | { type: 'CancelSession'; by: string }

/**
 * `approver` is the `kid` of the key that the authorisation is signed with. It is decided by the policy in force: `approvals` are those that it asks for, and
 * `lapsed` are those of the session's approvers whose approvals would not be taken under it any more.
 */
export type ApproversDecision = {
  approver: string
  decision: 'approve' | 'reject'
  authorisation: Authorisation
  approvals: { required: number; approvers: readonly string[] }
  lapsed: readonly string[]
  now: string
}

export const signingSession: Decider<SigningSession, SigningSessionCommand, SigningSessionEvent> = {
  stateVersion: 3,
  initial: { status: 'absent' },

  decide(state, command) {
    if (command.type === 'RequestSignature') {
      if (state.status !== 'absent') throw new DomainError('session_exists', 'the session exists already')
      const { type: _, ...data } = command
      return [{ type: 'SigningRequested', data }]
    }
    const session = requireSession(state)
    if (command.type === 'CancelSession' && session.status === 'cancelled') return []
    if (isTerminal(session)) throw new DomainError('session_terminal', `the session is ${session.status}`)
    const identity = identityOf(session)
    switch (command.type) {
      case 'DecideApproval':
        return decideApproval(session, command)
      case 'GiveUpApproval':
        requirePending(session)
        return [{ type: 'SigningFailed', data: { ...identity, code: 'approvals_impossible', culprits: [] } }]
      case 'StartSigning': {
        if (session.status === 'pending_approval') throw new DomainError('session_out_of_order', 'the session is not approved')
        if (command.attempt !== session.attempt + 1)
          throw new DomainError('session_out_of_order', `attempt ${session.attempt} was the last one`)
        const { attempt, signers, previous } = command
        return [{ type: 'SigningStarted', data: { ...identity, attempt, signers, previous } }]
      }
      case 'CompleteRound': {
        requireAttempt(session, command.attempt)
        const { attempt, round, rounds } = command
        return [{ type: 'RoundCompleted', data: { ...identity, attempt, round, rounds } }]
      }
      case 'ProduceSignature': {
        requireAttempt(session, command.attempt)
        if (session.status !== 'verifying') throw new DomainError('session_out_of_order', 'the rounds are not complete')
        const { type: _, ...produced } = command
        return [{ type: 'SignatureProduced', data: { ...identity, ...produced, signers: session.signers } }]
      }
      case 'FailSigning': {
        const { code, culprits } = command
        return [{ type: 'SigningFailed', data: { ...identity, code, culprits } }]
      }
      case 'ExpireSession':
        return Date.parse(command.now) < Date.parse(session.deadline) ? [] : [expired(session)]
      case 'CancelSession':
        return [{ type: 'SigningCancelled', data: { ...identity, by: command.by } }]
    }
  },

  evolve(state, event) {
    if (event.type === 'SigningRequested')
      return {
        status: event.data.approvals ? 'pending_approval' : 'requested',
        granted: [],
        approvedBy: [],
        refused: [],
        attempt: 0,
        signers: [],
        round: null,
        signature: null,
        recoveryId: null,
        failure: null,
        ...event.data,
      }
    if (state.status === 'absent') return state
    switch (event.type) {
      case 'ApprovalGranted':
        return {
          ...state,
          granted: [...state.granted, event.data.approver],
          approvedBy: [...state.approvedBy, event.data.authorisation],
          status: event.data.status,
        }
      case 'ApprovalsRevised': {
        const { approvals, granted, refused } = event.data
        const approvedBy = state.approvedBy.filter((_, index) => granted.includes(state.granted[index]!))
        return { ...state, approvals, granted, approvedBy, refused }
      }
      case 'ApprovalRejected':
        return { ...state, refused: [...state.refused, event.data.approver], status: event.data.status }
      case 'SigningStarted':
        return { ...state, status: 'preparing', attempt: event.data.attempt, signers: event.data.signers, round: null }
      case 'RoundCompleted': {
        const { round, rounds } = event.data
        return { ...state, status: round === rounds ? 'verifying' : 'round', round: { number: round, of: rounds } }
      }
      case 'SignatureProduced':
        return {
          ...state,
          status: 'signed',
          signature: event.data.signature,
          recoveryId: event.data.recoveryId ?? null,
          signers: event.data.signers,
        }
      case 'SigningFailed':
        return { ...state, status: 'failed', failure: { code: event.data.code, culprits: event.data.culprits } }
      case 'SigningExpired':
        return { ...state, status: 'expired', failure: { code: 'expired', culprits: [] } }
      case 'SigningCancelled':
        return { ...state, status: 'cancelled' }
    }
  },
}

/** @throws DomainError `session_not_found` */
export function requireSession(state: SigningSession): ExistingSession {
  if (state.status === 'absent') throw new DomainError('session_not_found', 'no such signing session')
  return state
}

export function isTerminal(session: ExistingSession): boolean {
  return (TERMINAL_STATUSES as readonly string[]).includes(session.status)
}

function decideApproval(session: ExistingSession, decided: ApproversDecision): readonly SigningSessionEvent[] {
  requirePending(session)
  const { approver, decision, authorisation, approvals, now } = decided
  if (!approvals.approvers.includes(approver)) throw new DomainError('not_an_approver', 'the policy does not name this approver')
  if (Date.parse(now) >= Date.parse(session.deadline)) return [expired(session)]
  const revised = revisedBy(session, decided)
  const { granted, refused } = revised[0]?.data ?? session
  const { required, approvers } = approvals
  if ((decision === 'approve' ? granted : refused).includes(approver)) return revised
  if ((decision === 'approve' ? refused : granted).includes(approver))
    throw new DomainError('already_decided', 'this approver has decided otherwise')
  const data = { ...identityOf(session), approver }
  if (decision === 'approve') {
    const status = granted.length + 1 >= required ? 'requested' : 'pending_approval'
    const priority = session.priority && { priority: session.priority }
    return [...revised, { type: 'ApprovalGranted', data: { ...data, status, authorisation, ...priority } }]
  }
  const canStillBeApproved = approvers.length - (refused.length + 1) >= required
  return [...revised, { type: 'ApprovalRejected', data: { ...data, status: canStillBeApproved ? 'pending_approval' : 'rejected' } }]
}

type ApprovalsRevised = Extract<SigningSessionEvent, { type: 'ApprovalsRevised' }>

/** Parties judge approvals by the policy in force when they sign, so those are collected that it asks for. Who approves again is counted by that. */
function revisedBy(session: ExistingSession, { approver, decision, approvals, lapsed }: ApproversDecision): ApprovalsRevised[] {
  const isNamed = (each: string) => approvals.approvers.includes(each)
  const granted = session.granted.filter((each) => isNamed(each) && !lapsed.includes(each))
  const before = session.approvals
  const isSame =
    before?.required === approvals.required &&
    before.approvers.length === approvals.approvers.length &&
    before.approvers.every(isNamed) &&
    granted.length === session.granted.length
  if (isSame) return []
  const counted = decision === 'approve' ? granted.filter((each) => each !== approver) : granted
  return [
    {
      type: 'ApprovalsRevised',
      data: { ...identityOf(session), approvals, granted: counted, refused: session.refused.filter(isNamed) },
    },
  ]
}

function requirePending({ status, approvals }: ExistingSession): void {
  if (status !== 'pending_approval' || !approvals) throw new DomainError('session_not_pending_approval', `the session is ${status}`)
}

function identityOf({ sessionId, keyId, walletId }: ExistingSession): SessionIdentity {
  return { sessionId, keyId, walletId }
}

function expired(session: ExistingSession): SigningSessionEvent {
  return { type: 'SigningExpired', data: { ...identityOf(session), deadline: session.deadline } }
}

function requireAttempt(session: ExistingSession, attempt: number): void {
  if (session.attempt !== attempt || session.attempt === 0)
    throw new DomainError('session_out_of_order', `attempt ${attempt} is not under way, but ${session.attempt}`)
}
