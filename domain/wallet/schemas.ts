import type { ClientKey } from '../authorisation/client-key.ts'
import { authorisation, clientKey, walletPolicy } from '../authorisation/shapes.ts'
import type { EventSchemas, Upcast } from '../upcasting/event-schema.ts'
import { fields, listOf, oneOf, optional, personal, text, whole } from '../upcasting/shape.ts'
import { ERASURE_REASONS, type WalletEvent } from './events.ts'
import type { WalletPolicy } from './policy.ts'
import { depositSchemas, transferSchemas } from './transfers/schemas.ts'

const frozenOrNot = fields({ walletId: text, reason: personal(text) })

/** What the events of a wallet hold, through their versions. */
export const walletSchemas: EventSchemas<WalletEvent> = {
  WalletCreated: {
    shape: fields({ walletId: text, tenant: text, name: personal(text), clientKeys: listOf(clientKey), policy: walletPolicy }),
    steps: [withApproversAsKeys],
  },
  KeyAttached: { shape: fields({ walletId: text, keyId: text, scheme: text, publicKey: text }) },
  PolicyChanged: {
    shape: fields({
      walletId: text,
      policy: walletPolicy,
      clientKeys: optional(listOf(clientKey)),
      version: whole,
      authorisation,
      approvals: listOf(text),
      intents: optional(listOf(text)),
    }),
    steps: [(data) => withNobodysWord(withApproversAsKeys(data))],
  },
  WalletFrozen: { shape: frozenOrNot },
  WalletUnfrozen: { shape: frozenOrNot },
  PersonalDataErased: { shape: fields({ walletId: text, keysBefore: whole, reason: oneOf(...ERASURE_REASONS) }) },
  ...depositSchemas,
  ...transferSchemas,
}

/** Approvers were names once. A name becomes a key without a point, under which nothing verifies: such an approver can be satisfied by nobody. */
function withApproversAsKeys(data: Parameters<Upcast>[0]): object {
  const { policy } = data as { policy: { approvals?: { required: number; approvers: readonly string[] } } }
  if (!policy.approvals) return data
  const approvers = policy.approvals.approvers.map((kid): ClientKey => ({ kid, kty: 'OKP', crv: 'Ed25519', x: '' }))
  return { ...data, policy: { ...policy, approvals: { ...policy.approvals, approvers } } }
}

/** A change of policy was a matter of the API once; no party was told, and none would take this for an intent. Which version it made is not known. */
function withNobodysWord(data: object): object {
  const { walletId, policy } = data as { walletId: string; policy: WalletPolicy }
  const request = { method: 'POST', path: `/v1/wallets/${walletId}/policy`, body: JSON.stringify({ policy }), intent: null }
  return { ...data, version: 0, authorisation: request, approvals: [] }
}
