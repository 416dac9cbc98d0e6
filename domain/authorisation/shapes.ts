import { fields, flag, listOf, oneOf, optional, orNull, text, whole } from '../upcasting/shape.ts'

/** What stands in events of who may ask for what, and of what they have signed. */

export const authorisation = fields({ method: text, path: text, body: text, intent: orNull(text) })

export const clientKey = fields({ kid: text, kty: oneOf('OKP', 'EC'), crv: oneOf('Ed25519', 'P-256'), x: text, y: optional(text) })

const approvals = fields({ required: whole, approvers: listOf(clientKey) })

/** As they were read when they came in: what stands in them in detail is up to `domain/policy/`. */
const transferRules = optional(fields({}))

export const walletPolicy = fields({
  rawDigests: flag,
  approvals: optional(approvals),
  presignatures: optional(whole),
  transfers: transferRules,
})

export const keyPolicy = fields({
  version: whole,
  walletId: text,
  clientKeys: listOf(clientKey),
  rawDigests: flag,
  approvals: orNull(approvals),
  presignatures: whole,
  transfers: transferRules,
})
