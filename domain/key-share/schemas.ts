import { SCHEMES } from '../threshold/scheme.ts'
import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, listOf, oneOf, orNull, text, whole } from '../upcasting/shape.ts'
import type { KeyShareEvent } from './events.ts'

const identity = { keyId: text, walletId: text }
const authorisation = fields({ method: text, path: text, body: text, intent: orNull(text) })

/** What the events of a key hold, through their versions. */
export const keyShareSchemas: EventSchemas<KeyShareEvent> = {
  KeyGenerationRequested: {
    shape: fields({ ...identity, tenant: text, scheme: oneOf(...SCHEMES), threshold: whole, parties: listOf(text), authorisation }),
  },
  KeyGenerationStarted: { shape: fields({ ...identity, attempt: whole }) },
  CommitmentReceived: { shape: fields({ ...identity, attempt: whole, partyId: text, digest: text }) },
  ShareGenerated: { shape: fields({ ...identity, attempt: whole, partyId: text, packageDigest: text }) },
  KeyGenerationCompleted: { shape: fields({ ...identity, attempt: whole, publicKey: text, publicPackage: text, epoch: whole }) },
  KeyGenerationFailed: { shape: fields({ ...identity, code: text, culprits: listOf(text) }) },
  KeyRevoked: { shape: fields({ ...identity, reason: text }) },
  PresignaturesCounted: { shape: fields({ ...identity, generated: whole, consumed: whole, expired: whole }) },
}
