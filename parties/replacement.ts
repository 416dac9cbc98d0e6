import { MAX_AGE_SECONDS } from '../domain/authorisation/approvals.ts'
import { type Intent, type IntentRules, verifyIntent } from '../domain/authorisation/intent.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import { transferPath } from '../domain/wallet/transfers/transfer-id.ts'
import { readWantedAcceleration, readWantedCancellation } from '../domain/wallet/transfers/wanted-transfer.ts'

/** What a client wants in place of a transaction that has been signed: the same at another fee, or nothing but that it is not mined. */
export type ReplacementWanted = { intent: Intent; kind: 'acceleration' | 'cancellation'; maxFee: bigint | null }

/** @throws Refusal, AuthorisationRefused, MalformedJson, DomainError */
export function readReplacement(
  authorisation: Authorisation,
  transferId: string,
  rules: Pick<IntentRules, 'keys' | 'verify' | 'now'>,
): ReplacementWanted {
  const { method, path, body } = authorisation
  const isAcceleration = path === transferPath(transferId, 'accelerate')
  if (method !== 'POST' || !(isAcceleration || path === transferPath(transferId, 'cancel')))
    throw new Refusal('request_mismatch', 'the client has asked for no replacement in this transfer')
  const intent = verifyIntent(authorisation, { ...rules, maxAgeSeconds: MAX_AGE_SECONDS })
  const { maxFee } = isAcceleration ? readWantedAcceleration(body) : readWantedCancellation(body)
  return { intent, kind: isAcceleration ? 'acceleration' : 'cancellation', maxFee }
}
