import { concatBytes } from '@noble/hashes/utils.js'
import { type PartyIndex, ProtocolAbort, type RandomBytes } from '../protocol.ts'
import { equalBytes } from '../rounds.ts'
import { draw } from '../shared-key/key-suite.ts'
import { ask } from './hashing.ts'

export const COMMITMENT_BYTES = 32
export const SALT_BYTES = 32

/** Whose words are committed to, and in which ceremony: committed to by anybody else, or elsewhere, they are something else. */
export type Commitment = { readonly sid: Uint8Array; readonly committer: PartyIndex }

/** F_Com of the paper as a salted hash: binding, as nobody finds another preimage, and hiding, as nobody guesses the salt. */
export function commit(
  { sid, committer }: Commitment,
  value: Uint8Array,
  rng: RandomBytes,
): { commitment: Uint8Array; decommitment: Uint8Array } {
  const salt = draw(rng, SALT_BYTES)
  return { commitment: ask('commitment', COMMITMENT_BYTES, sid, committer, salt, value), decommitment: concatBytes(salt, value) }
}

/** The value behind a commitment. @throws ProtocolAbort `commitment_mismatch` naming the committer */
export function decommit({ sid, committer }: Commitment, commitment: Uint8Array, decommitment: Uint8Array): Uint8Array {
  const value = decommitment.subarray(SALT_BYTES)
  if (!equalBytes(ask('commitment', COMMITMENT_BYTES, sid, committer, decommitment.subarray(0, SALT_BYTES), value), commitment))
    throw new ProtocolAbort('commitment_mismatch', 'what is revealed is not what was committed to', [committer])
  return value
}
