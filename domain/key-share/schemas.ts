import type { KeyPolicy } from '../authorisation/key-policy.ts'
import { authorisation, keyPolicy } from '../authorisation/shapes.ts'
import { SCHEMES } from '../threshold/scheme.ts'
import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, listOf, oneOf, personal, text, whole } from '../upcasting/shape.ts'
import type { KeyIdentity, KeyShareEvent } from './events.ts'

const identity = { keyId: text, walletId: text }

/** What the events of a key hold, through their versions. */
export const keyShareSchemas: EventSchemas<KeyShareEvent> = {
  KeyGenerationRequested: {
    shape: fields({
      ...identity,
      tenant: text,
      scheme: oneOf(...SCHEMES),
      threshold: whole,
      parties: listOf(text),
      authorisation,
      policy: keyPolicy,
    }),
    steps: [withNobodysPolicy],
  },
  KeyGenerationStarted: { shape: fields({ ...identity, attempt: whole }) },
  CommitmentReceived: { shape: fields({ ...identity, attempt: whole, partyId: text, digest: text }) },
  ShareGenerated: { shape: fields({ ...identity, attempt: whole, partyId: text, packageDigest: text }) },
  KeyGenerationCompleted: { shape: fields({ ...identity, attempt: whole, publicKey: text, publicPackage: text, epoch: whole }) },
  KeyGenerationFailed: { shape: fields({ ...identity, code: text, culprits: listOf(text) }) },
  KeyRefreshRequested: { shape: fields({ ...identity, epoch: whole, authorisation: personal(authorisation) }) },
  KeyRefreshStarted: { shape: fields({ ...identity, epoch: whole, attempt: whole }) },
  KeyRefreshCompleted: { shape: fields({ ...identity, epoch: whole, attempt: whole, publicPackage: text }) },
  KeyRefreshFailed: { shape: fields({ ...identity, epoch: whole, code: text, culprits: listOf(text) }) },
  ShareRecoveryRequested: { shape: fields({ ...identity, partyId: text, authorisation }) },
  ShareRecoveryStarted: { shape: fields({ ...identity, attempt: whole, partyId: text, helpers: listOf(text) }) },
  ShareRecovered: { shape: fields({ ...identity, attempt: whole, partyId: text, epoch: whole }) },
  ShareRecoveryFailed: { shape: fields({ ...identity, partyId: text, code: text, culprits: listOf(text) }) },
  KeyRevoked: {
    shape: fields({ ...identity, reason: personal(text), authorisation: personal(authorisation) }),
    steps: [withNobodysWord],
  },
  PresignaturesCounted: { shape: fields({ ...identity, generated: whole, consumed: whole, expired: whole }) },
}

/** Parties kept no policy once. One without client keys obeys nobody. */
function withNobodysPolicy(data: object): object {
  const { walletId } = data as KeyIdentity
  const policy: KeyPolicy = { version: 1, walletId, clientKeys: [], rawDigests: false, approvals: null, presignatures: 0 }
  return { ...data, policy }
}

/** A revocation was the API's word once. */
function withNobodysWord(data: object): object {
  const { keyId, reason } = data as KeyIdentity & { reason: string }
  const request = { method: 'POST', path: `/v1/keys/${keyId}/revoke`, body: JSON.stringify({ reason }), intent: null }
  return { ...data, authorisation: request }
}
