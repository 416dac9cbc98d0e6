import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, flag, listOf, oneOf, optional, text, whole } from '../upcasting/shape.ts'
import type { WalletEvent } from './events.ts'

const clientKey = fields({ kid: text, kty: oneOf('OKP', 'EC'), crv: oneOf('Ed25519', 'P-256'), x: text, y: optional(text) })
const policy = fields({ rawDigests: flag, approvals: optional(fields({ required: whole, approvers: listOf(text) })) })
const frozenOrNot = fields({ walletId: text, reason: text })

/** What the events of a wallet hold, through their versions. */
export const walletSchemas: EventSchemas<WalletEvent> = {
  WalletCreated: { shape: fields({ walletId: text, tenant: text, name: text, clientKeys: listOf(clientKey), policy }) },
  KeyAttached: { shape: fields({ walletId: text, keyId: text, scheme: text, publicKey: text }) },
  PolicyChanged: { shape: fields({ walletId: text, policy }) },
  WalletFrozen: { shape: frozenOrNot },
  WalletUnfrozen: { shape: frozenOrNot },
}
