import { sha256 } from '@noble/hashes/sha2.js'
import { encodeFields } from '../fields.ts'
import type { PartyKeys } from '../ports/identity.ts'
import type { PartyIndex } from '../threshold/protocol.ts'
import type { CeremonyAttempt } from './messages.ts'
import { attemptFields } from './statements.ts'

/** What participants must have been told alike before they speak: which ceremony it is, what about, and with whom, by name, number and keys. */
export type Beginning = {
  attempt: CeremonyAttempt
  /** What the ceremony is about, such as the key's id and threshold. */
  context: Uint8Array
  /** In the order of their numbers. */
  participants: readonly { id: string; number: PartyIndex; keys: PartyKeys }[]
}

/** Transcript of the first round's statements. */
export function transcriptOfBeginning({ attempt, context, participants }: Beginning): Uint8Array {
  const named = participants.flatMap(({ id, number, keys }) => [id, number, keys.signing, keys.sealing])
  return sha256(encodeFields('quorate ceremony', ...attemptFields(attempt), context, ...named))
}

/** Transcript of all later statements. `said` is in the order of the participants' numbers. */
export function transcriptOfFirstRound(
  beginning: Uint8Array,
  said: readonly { id: string; sealingKey: Uint8Array; broadcast: Uint8Array }[],
): Uint8Array {
  const fields = said.flatMap(({ id, sealingKey, broadcast }) => [id, sealingKey, broadcast])
  return sha256(encodeFields('quorate first round', beginning, ...fields))
}
