import { authorisation } from '../authorisation/shapes.ts'
import { SCHEMES } from '../threshold/scheme.ts'
import type { EventSchemas } from '../upcasting/event-schema.ts'
import { either, fields, listOf, oneOf, optional, orNull, sealable, text, whole } from '../upcasting/shape.ts'
import { PRIORITIES, type SessionIdentity, type SigningSessionEvent } from './events.ts'

const approvals = fields({ required: whole, approvers: listOf(text) })
const identity = { sessionId: text, keyId: text, walletId: text }
const failure = { code: text, culprits: listOf(text) }
const priority = optional(oneOf(...PRIORITIES))
const payload = either(
  fields({ kind: oneOf('message', 'eip191'), encoding: oneOf('utf8', 'hex'), data: text }),
  fields({ kind: oneOf('digest'), data: text }),
  fields({ kind: oneOf('transaction'), chain: text, transferId: text, unsigned: text, index: whole }),
  fields({ kind: oneOf('eip712'), typedData: fields({ primaryType: text, types: fields({}), domain: fields({}), message: fields({}) }) }),
)

const transfer = fields({ signers: whole, approvals: listOf(sealable(authorisation)), replacement: sealable(orNull(authorisation)) })

/** What the events of a signing session hold, through their versions. */
export const signingSessionSchemas: EventSchemas<SigningSessionEvent> = {
  SigningRequested: {
    shape: fields({
      ...identity,
      tenant: text,
      scheme: oneOf(...SCHEMES),
      payload,
      transfer: optional(transfer),
      message: text,
      deadline: text,
      approvals: orNull(approvals),
      authorisation: sealable(authorisation),
      priority,
      path: optional(text),
      publicKey: optional(text),
    }),
  },
  ApprovalGranted: {
    shape: fields({ ...identity, approver: text, status: oneOf('pending_approval', 'requested'), priority, authorisation }),
    steps: [withNobodysWord],
  },
  ApprovalsRevised: { shape: fields({ ...identity, approvals, granted: listOf(text), refused: listOf(text) }) },
  ApprovalRejected: { shape: fields({ ...identity, approver: text, status: oneOf('pending_approval', 'rejected') }) },
  SigningStarted: { shape: fields({ ...identity, attempt: whole, signers: listOf(text), previous: orNull(fields(failure)) }) },
  RoundCompleted: { shape: fields({ ...identity, attempt: whole, round: whole, rounds: whole }) },
  SignatureProduced: {
    shape: fields({ ...identity, attempt: whole, signature: text, recoveryId: optional(whole), signers: listOf(text) }),
  },
  SigningFailed: { shape: fields({ ...identity, ...failure }) },
  SigningExpired: { shape: fields({ ...identity, deadline: text }) },
  SigningCancelled: { shape: fields({ ...identity, by: text }) },
}

/** An approval was the API's word once; no party takes this one for an approver's. */
function withNobodysWord(data: object): object {
  const { sessionId } = data as SessionIdentity
  const request = { method: 'POST', path: `/v1/signing-sessions/${sessionId}/approvals`, body: '{"decision":"approve"}', intent: null }
  return { ...data, authorisation: request }
}
