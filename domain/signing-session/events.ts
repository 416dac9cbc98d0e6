import type { Authorisation } from '../key-share/events.ts'
import type { Personal } from '../personal-data/sealed.ts'
import type { Scheme } from '../threshold/scheme.ts'
import type { Payload, TransactionPayload } from './payload.ts'

export const PRIORITIES = ['high', 'normal', 'low'] as const
/** Whose turn comes first when sessions have to wait. */
export type Priority = (typeof PRIORITIES)[number]

/** On every event of a session, so that each can be understood alone. */
export type SessionIdentity = { sessionId: string; keyId: string; walletId: string }

/** What is asked for when something is to be signed. */
export type SigningRequest = SessionIdentity & {
  tenant: string
  scheme: Scheme
  payload: Payload | TransactionPayload
  /** There when the payload is a transaction. */
  transfer?: OrderedTransfer
  /** From the key to the one that signs; absent in sessions of keys that could not be derived from. */
  path?: string
  /** Of the key at the path, hex. */
  publicKey?: string
  /** What the scheme signs, hex: the one message this session can ever yield a signature over. */
  message: string
  /** RFC 3339; after it the session expires. */
  deadline: string
  /** Approvers by the `kid` of their keys. */
  approvals: { required: number; approvers: readonly string[] } | null
  /** Normal when left out. */
  priority?: Priority
  /** Sealed when it is the request of a transfer. */
  authorisation: Personal<Authorisation>
}

/** Why a transaction is signed: `authorisation` of the session is the request of the transfer. */
export type OrderedTransfer = {
  /** How many are to sign, where the policy asks for more than the threshold. */
  signers: number
  /** What those have signed who approved the transfer. */
  approvals: readonly Personal<Authorisation>[]
  /** The client's request to have this transaction in place of one before. */
  replacement: Personal<Authorisation | null>
}

export type SigningSessionEvent =
  | { type: 'SigningRequested'; data: SigningRequest }
  /** `status` is what the session is in after the decision. */
  | {
      type: 'ApprovalGranted'
      data: SessionIdentity & {
        approver: string
        status: 'pending_approval' | 'requested'
        priority?: Priority
        authorisation: Authorisation
      }
    }
  /** The policy has changed since: from now on the session is approved under this one, by which these decisions still count. */
  | {
      type: 'ApprovalsRevised'
      data: SessionIdentity & {
        approvals: { required: number; approvers: readonly string[] }
        granted: readonly string[]
        refused: readonly string[]
      }
    }
  | { type: 'ApprovalRejected'; data: SessionIdentity & { approver: string; status: 'pending_approval' | 'rejected' } }
  /** `previous` says why the attempt before this one came to nothing, and through whom. */
  | { type: 'SigningStarted'; data: SessionIdentity & { attempt: number; signers: readonly string[]; previous: Failure | null } }
  | { type: 'RoundCompleted'; data: SessionIdentity & { attempt: number; round: number; rounds: number } }
  /** `recoveryId` is there for ECDSA: which of the keys that the signature verifies with is the one that made it. */
  | {
      type: 'SignatureProduced'
      data: SessionIdentity & { attempt: number; signature: string; recoveryId?: number; signers: readonly string[] }
    }
  | { type: 'SigningFailed'; data: SessionIdentity & Failure }
  | { type: 'SigningExpired'; data: SessionIdentity & { deadline: string } }
  | { type: 'SigningCancelled'; data: SessionIdentity & { by: string } }

export type Failure = { code: string; culprits: readonly string[] }

/** Stream of a signing session. */
export const signingSessionStream = (sessionId: string) => `signingSession-${sessionId}`
export const SIGNING_SESSION_STREAMS = 'signingSession-'
