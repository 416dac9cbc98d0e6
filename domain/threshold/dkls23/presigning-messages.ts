import { concatBytes } from '@noble/hashes/utils.js'
import type { ByParty, PartyIndex } from '../protocol.ts'
import { readEach } from '../rounds.ts'
import { decodeElement } from '../shared-key/key-suite.ts'
import { SALT_BYTES } from './commitment.ts'
import { type Element, suite } from './suite.ts'

const { Point, elementBytes } = suite
const { Fn } = Point

export const ECHO_BYTES = 32

/** What each signer says in the second round. Layout: echo (32) ‖ decommitment to R_i (65) ‖ pk_i (33). */
export type Revealed = { readonly echo: Uint8Array; readonly decommitment: Uint8Array; readonly pk: Element }

export const encodeRevealed = ({ echo, decommitment, pk }: Revealed) => concatBytes(echo, decommitment, pk.toBytes())

/** @throws ProtocolAbort `invalid_message` */
export function readRevealed(broadcasts: ByParty): Map<PartyIndex, Revealed> {
  const pkAt = ECHO_BYTES + SALT_BYTES + elementBytes
  return readEach(broadcasts, 'invalid_message', (bytes) => ({
    echo: bytes.subarray(0, ECHO_BYTES),
    decommitment: bytes.subarray(ECHO_BYTES, pkAt),
    pk: decodeElement(suite, bytes.subarray(pkAt)),
  }))
}

/**
 * What each tells another in the second round: as Alice commitments to its results, psi, and its reply to the multiplication. Layout: Gamma_u (33) ‖
 * Gamma_v (33) ‖ psi (32) ‖ reply.
 */
export type Adjustment = { readonly gammas: readonly [u: Element, v: Element]; readonly psi: bigint; readonly reply: Uint8Array }

export const encodeAdjustment = ({ gammas: [u, v], psi, reply }: Adjustment) =>
  concatBytes(u.toBytes(), v.toBytes(), Fn.toBytes(psi), reply)

/** @throws ProtocolAbort `invalid_message` */
export function readAdjustments(messages: ByParty): Map<PartyIndex, Adjustment> {
  const psiAt = 2 * elementBytes
  const replyAt = psiAt + Fn.BYTES
  return readEach(messages, 'invalid_message', (bytes) => ({
    gammas: [decodeElement(suite, bytes.subarray(0, elementBytes)), decodeElement(suite, bytes.subarray(elementBytes, psiAt))],
    psi: Fn.fromBytes(bytes.subarray(psiAt, replyAt)),
    reply: bytes.subarray(replyAt),
  }))
}
